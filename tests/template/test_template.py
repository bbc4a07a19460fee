"""The template: what it makes, and that it fits the code.

    python3 -m unittest discover --start-directory tests/template

FUNCTION and KEYS name the built function and passloom-keys, where they are not those in target/.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import zipfile

import boto3
import botocore.exceptions
import requests
import yaml
from moto.server import ThreadedMotoServer

import cloudformation
from function import Function

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTION = os.environ.get("FUNCTION", str(ROOT / "target/lambda/passloom/bootstrap"))
REGION = "eu-central-1"
EVERYTHING = {
    "DomainName": "passwords.example.com",
    "CertificateArn": f"arn:aws:acm:{REGION}:123456789012:certificate/0",
    "HostedZoneId": "Z1",
    "EncryptionKey": "customer-managed",
    "ReservedConcurrency": 5,
    "Tracing": "on",
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:123456789012:topic",
}


def rust(*folders: str) -> str:
    return "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.rs")))


class Template(unittest.TestCase):
    """What stands in the translated template."""

    @classmethod
    def setUpClass(cls):
        cls.template = cloudformation.translated()
        cls.plain = cloudformation.decided(cls.template)
        cls.full = cloudformation.decided(cls.template, **EVERYTHING)
        cls.url = cloudformation.decided(cls.template, Endpoint="function-url")

    def test_every_parameter_is_described_constrained_and_defaulted(self):
        for name, one in cloudformation.source()["Parameters"].items():
            self.assertTrue(one["Description"].endswith("."), name)
            self.assertIn("Default", one, name)
            self.assertTrue({"AllowedValues", "AllowedPattern", "MinValue"} & one.keys(), name)

    def test_data_is_protected_kept_and_can_be_restored(self):
        for resources in (self.plain, self.full, self.url):
            table = resources["Table"]
            self.assertEqual((table["DeletionPolicy"], table["UpdateReplacePolicy"]), ("Retain", "Retain"))
            self.assertIs(table["Properties"]["DeletionProtectionEnabled"], True)
            self.assertIs(table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], True)
            ttl = {"AttributeName": "delete_after", "Enabled": True}
            self.assertEqual(table["Properties"]["TimeToLiveSpecification"], ttl)
            for name in ("Pepper", "FunctionLogGroup"):
                self.assertEqual(resources[name]["DeletionPolicy"], "RetainExceptOnCreate", name)
            self.assertEqual(resources["FunctionLogGroup"]["Properties"]["RetentionInDays"], 90)

    def test_the_customers_key_encrypts_the_table_and_the_logs(self):
        self.assertNotIn("Key", self.plain)
        self.assertNotIn("SSESpecification", self.plain["Table"]["Properties"])
        sse = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "<Key.Arn>"}
        self.assertEqual(self.full["Table"]["Properties"]["SSESpecification"], sse)
        for name in ("FunctionLogGroup", "ApiLogGroup"):
            self.assertEqual(self.full[name]["Properties"]["KmsKeyId"], "<Key.Arn>", name)
        self.assertIs(self.full["Key"]["Properties"]["EnableKeyRotation"], True)

    def test_no_parameter_can_drop_audit_lines(self):
        for resources in (self.plain, self.full, self.url):
            logging = resources["Function"]["Properties"]["LoggingConfig"]
            self.assertEqual((logging["LogFormat"], logging["ApplicationLogLevel"]), ("JSON", "INFO"))
            self.assertEqual(logging["SystemLogLevel"], "WARN")
        self.assertEqual(cloudformation.source()["Resources"]["Function"]["Properties"]["LoggingConfig"], logging | {
            "LogGroup": {"Ref": "FunctionLogGroup"}})

    def test_the_access_log_holds_nothing_that_a_caller_writes(self):
        format = json.loads(self.plain["Stage"]["Properties"]["AccessLogSettings"]["Format"])
        harmless = {
            "requestId", "identity.sourceIp", "requestTime", "httpMethod", "routeKey", "status", "responseLength",
            "integrationStatus", "integrationLatency", "error.message",
        }
        self.assertEqual({field.removeprefix("$context.") for field in format.values()}, harmless)

    def test_the_stage_throttles_and_everything_goes_to_the_function(self):
        settings = self.plain["Stage"]["Properties"]["DefaultRouteSettings"]
        self.assertEqual(settings, {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200})
        self.assertEqual(self.plain["Route"]["Properties"]["RouteKey"], "$default")
        self.assertNotIn("ReservedConcurrentExecutions", self.plain["Function"]["Properties"])
        self.assertEqual(self.full["Function"]["Properties"]["ReservedConcurrentExecutions"], 5)

    def test_a_domain_name_replaces_the_address_of_the_gateway(self):
        self.assertIs(self.plain["Api"]["Properties"]["DisableExecuteApiEndpoint"], False)
        self.assertIs(self.full["Api"]["Properties"]["DisableExecuteApiEndpoint"], True)
        configuration, = self.full["Domain"]["Properties"]["DomainNameConfigurations"]
        self.assertEqual(configuration["SecurityPolicy"], "TLS_1_2")
        self.assertNotIn("Domain", self.plain)

    def test_a_function_url_needs_no_gateway(self):
        kinds = {one["Type"] for one in self.url.values()}
        self.assertFalse({kind for kind in kinds if kind.startswith("AWS::ApiGateway")})
        self.assertIn("AWS::Lambda::Url", kinds)
        self.assertNotIn("AWS::Lambda::Url", {one["Type"] for one in self.plain.values()})
        alarm = self.url["ServerErrorAlarm"]["Properties"]
        self.assertEqual((alarm["Namespace"], alarm["MetricName"]), ("AWS/Lambda", "Url5xxCount"))

    def test_alarms_tell_the_topic_if_there_is_one(self):
        alarms = {name for name, one in self.plain.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
        self.assertEqual(len(alarms), 5)
        for name in alarms:
            self.assertNotIn("AlarmActions", self.plain[name]["Properties"])
            self.assertEqual(self.full[name]["Properties"]["AlarmActions"], [EVERYTHING["AlarmTopicArn"]])

    def test_the_role_allows_what_the_code_calls_and_no_more(self):
        # Methods of the client, as the function uses them: `.update_item()` is dynamodb:UpdateItem.
        called = set(re.findall(r"\.client\s*\.(\w+)\(\)", rust("src/access")))
        called = {"dynamodb:" + "".join(word.title() for word in one.split("_")) for one in called}
        self.assertEqual(called, {"dynamodb:GetItem", "dynamodb:UpdateItem"})
        for resources in (self.plain, self.full):
            allowed = {}
            policies = list(resources["FunctionRole"]["Properties"]["Policies"])
            policies += [one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::Policy"]
            for policy in policies:
                for statement in policy["PolicyDocument"]["Statement"]:
                    for action in statement["Action"]:
                        allowed[action] = statement["Resource"]
            logs = {"logs:CreateLogStream": "<FunctionLogGroup.Arn>", "logs:PutLogEvents": "<FunctionLogGroup.Arn>"}
            traces = {"xray:PutTraceSegments": "*", "xray:PutTelemetryRecords": "*"}
            expected = dict.fromkeys(called, "<Table.Arn>") | logs | (traces if resources is self.full else {})
            self.assertEqual(allowed, expected)

    def test_variables_are_those_that_the_settings_read(self):
        given = set(self.plain["Function"]["Properties"]["Environment"]["Variables"])
        text = (ROOT / "src/settings.rs").read_text()
        read = set(re.findall(r'reader\s*\.(?:required|optional|parsed)\("([A-Z_]+)"', text))
        read |= set(re.findall(r'self\s*\.(?:required|optional|parsed)\("([A-Z_]+)"', text))
        own = {name for name in read if not name.startswith("AWS_")}
        # What only another way of deploying would set.
        self.assertEqual(own - given, {"ALLOW_HTTP"})
        self.assertEqual(given - own, set())

    def test_the_outputs_and_the_readme_name_what_is_there(self):
        for name, one in cloudformation.source()["Outputs"].items():
            self.assertTrue(one["Description"].endswith("."), name)
        command = json.dumps(self.template["Outputs"]["FirstKeyCommand"])
        for part in ("passloom-keys create", "TABLE_NAME", "KEY_PEPPER", "AWS_REGION"):
            self.assertIn(part, command)


class Stack(unittest.TestCase):
    """The template in a cloud that is not Amazon's: its role, its table and the built function."""

    @classmethod
    def setUpClass(cls):
        cls.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cls.server.start()
        host, port = cls.server.get_host_and_port()
        cls.url = f"http://{host}:{port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def client(self, service: str, **credentials):
        credentials = credentials or {"aws_access_key_id": "admin", "aws_secret_access_key": "admin"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **credentials)

    def deploy(self, template: dict, **parameters) -> dict:
        """Makes the stack and answers the variables of its function, with the credentials of its role."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"inf", timeout=10)
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        s3 = self.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        with tempfile.TemporaryFile() as archive:
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr("bootstrap", "stands for the function, which this cloud does not run")
            archive.seek(0)
            s3.upload_fileobj(archive, "bucket", "key")
        stacks = self.client("cloudformation")
        stacks.create_stack(
            StackName="passloom",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": k, "ParameterValue": str(v)} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        made = stacks.describe_stack_resources(StackName="passloom")["StackResources"]
        # Of what this cloud does not make it says nothing.
        physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made if "PhysicalResourceId" in one}
        self.resources = physical
        # Nor does it make secrets for a stack; it draws one by the same properties.
        drawn = dict(template["Resources"]["Pepper"]["Properties"]["GenerateSecretString"])
        pepper = self.client("secretsmanager").get_random_password(**drawn)["RandomPassword"]
        self.assertRegex(pepper, "^[0-9a-f]{64}$")
        iam = self.client("iam")
        role = iam.get_role(RoleName=physical["FunctionRole"])["Role"]["Arn"]
        # This cloud keeps a stack's policies in a form that it cannot check by, and does not tell the resources of
        # DynamoDB apart; so they are put once more, for all resources. Those are checked on the template itself.
        for policy in cloudformation.decided(template, **parameters)["FunctionRole"]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                statement["Resource"] = "*"
            document = json.dumps(policy["PolicyDocument"])
            iam.put_role_policy(
                RoleName=physical["FunctionRole"], PolicyName=policy["PolicyName"], PolicyDocument=document
            )
        credentials = self.client("sts").assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
        properties = cloudformation.decided(template, **parameters)["Function"]["Properties"]
        variables = {name: str(value) for name, value in properties["Environment"]["Variables"].items()}
        variables |= {"TABLE_NAME": physical["Table"], "KEY_PEPPER": pepper}
        return {name: value for name, value in variables.items() if value} | {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
        }

    def make_key(self, variables: dict, per_minute: int, name: str = "test") -> str:
        """Makes a key by the tool, with the administrator's credentials."""
        own = variables | {"AWS_ACCESS_KEY_ID": "admin", "AWS_SECRET_ACCESS_KEY": "admin", "AWS_SESSION_TOKEN": ""}
        command = [os.environ.get("KEYS", str(ROOT / "target/debug/passloom-keys")), "create", "--name", name, "--json"]
        made = subprocess.run(
            [*command, "--per-minute", str(per_minute), "--per-day", "1000"], env=own, capture_output=True, check=True
        )
        return json.loads(made.stdout)["key"]

    def guard(self):
        """From now on every call needs a policy that allows it."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"0", timeout=10)

    def test_the_function_serves_from_its_table_by_its_own_role(self):
        for format in ("json", "ocsf"):
            template = cloudformation.translated()
            variables = self.deploy(template, AuditFormat=format)
            for name in ("Table", "FunctionRole", "FunctionLogGroup", "ApiLogGroup", "Function"):
                self.assertIn(name, self.resources)
            key = self.make_key(variables, 3)
            stranger = self.make_key(variables | {"KEY_PEPPER": "00" * 32}, 3, "stranger") if format == "json" else "plk_nothing"
            self.guard()
            with Function(FUNCTION, variables) as function:
                status, answer = function.ask("/api/generate", key, "count=3")
                self.assertEqual((status, len(answer.get("passwords", []))), (200, 3), answer)
                self.assertEqual(function.ask("/api/passphrase", key)[0], 200)
                self.assertEqual(function.ask("/api/generate", key, "lenght=3")[0], 400)
                self.assertEqual(function.ask("/api/policy", key)[0], 200)
                self.assertEqual(function.ask("/api/generate", key)[0], 429)
                self.assertEqual(function.ask("/api/generate", stranger)[0], 401)
                self.assertEqual(function.ask("/api/generate")[0], 401)
                self.assertEqual(function.ask("/api/health")[0], 200)
            with Function(FUNCTION, variables | {"TABLE_NAME": "no-such-table"}) as broken:
                self.assertEqual(broken.ask("/api/generate", key)[0], 503)
            self.metrics(cloudformation.decided(template, AuditFormat=format), function.lines + broken.lines)

    def metrics(self, resources: dict, lines: list):
        """Metric filters find in real lines what they are for."""
        counted = {}
        for name, one in resources.items():
            if one["Type"] == "AWS::Logs::MetricFilter":
                transformation, = one["Properties"]["MetricTransformations"]
                matching = [line for line in lines if matches(one["Properties"]["FilterPattern"], line)]
                value = transformation["MetricValue"]
                numbers = [field(line, value) if value.startswith("$.") else float(value) for line in matching]
                counted[transformation["MetricName"]] = sum(numbers)
        expected = {
            "Answered": 4, "Refused": 4, "Failed": 1, "Generated": 4, "RateLimited": 1, "ForgedKeys": 1,
            "StoreUnavailable": 1, "ColdStarts": 2,
        }
        self.assertEqual(counted, expected)

    def test_without_an_action_in_the_policy_nothing_is_served(self):
        for missing in ("dynamodb:GetItem", "dynamodb:UpdateItem"):
            template = cloudformation.translated()
            statement, = template["Resources"]["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
            statement["Action"].remove(missing)
            variables = self.deploy(template)
            key = self.make_key(variables, 3)
            self.guard()
            with Function(FUNCTION, variables) as function:
                self.assertEqual(function.ask("/api/generate", key)[0], 503, missing)
            self.assertRegex(function.lines[-1]["reason"], "^store: DynamoDB answered ")

    def test_the_role_can_do_nothing_else(self):
        variables = self.deploy(cloudformation.translated())
        self.guard()
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        client = self.client("dynamodb", **{name: variables[name.upper()] for name in names})
        for call, arguments in [
            ("scan", {}), ("put_item", {"Item": {"pk": {"S": "a"}}}), ("delete_item", {"Key": {"pk": {"S": "a"}}}),
            ("delete_table", {}), ("describe_table", {}),
        ]:
            with self.assertRaises(botocore.exceptions.ClientError, msg=call) as raised:
                getattr(client, call)(TableName=variables["TABLE_NAME"], **arguments)
            self.assertEqual(raised.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403, call)


class Dashboards(unittest.TestCase):
    """Queries and widgets name what is there."""

    COMMANDS = {"SOURCE", "fields", "filter", "stats", "sort", "limit"}
    WORDS = {
        "as", "by", "in", "and", "or", "desc", "asc", "sum", "min", "max", "count", "count_distinct", "bin", "ispresent",
        "d", "not",
    }

    def schema_fields(self, ocsf: bool) -> set:
        name = "audit-ocsf.schema.json" if ocsf else "audit.schema.json"
        schema = json.loads((ROOT / "docs" / name).read_text())
        fields = set()

        def walk(node, path):
            for member, inner in node.get("properties", {}).items():
                fields.add(f"{path}{member}")
                walk(inner, f"{path}{member}.")

        walk(schema, "")
        return fields | {"@timestamp"}

    def check(self, query: str, ocsf: bool):
        fields, aliases = self.schema_fields(ocsf), set(re.findall(r"\bas (\w+)", query))
        for command in re.split(r"\s*\|\s*", query.strip()):
            name, _, rest = command.partition(" ")
            self.assertIn(name, self.COMMANDS, query)
            if name == "SOURCE":
                continue
            self.assertEqual(rest.count("("), rest.count(")"), query)
            rest = re.sub(r'"[^"]*"', "", rest)
            for word in re.findall(r"@?[A-Za-z_][A-Za-z_.]*", rest):
                self.assertIn(word, fields | aliases | self.WORDS, query)

    def test_saved_queries_read_fields_that_lines_have(self):
        template = cloudformation.translated()
        for ocsf in (False, True):
            resources = cloudformation.decided(template, AuditFormat="ocsf" if ocsf else "json")
            queries = [one for one in resources.values() if one["Type"] == "AWS::Logs::QueryDefinition"]
            self.assertEqual(len(queries), 5)
            for one in queries:
                self.check(one["Properties"]["QueryString"], ocsf)

    def test_the_dashboard_shows_metrics_that_are_made(self):
        template = cloudformation.translated()
        for ocsf in (False, True):
            resources = cloudformation.decided(template, AuditFormat="ocsf" if ocsf else "json")
            made = {
                transformation["MetricName"]
                for one in resources.values() if one["Type"] == "AWS::Logs::MetricFilter"
                for transformation in one["Properties"]["MetricTransformations"]
            }
            body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"])
            shown = set()
            for widget in body["widgets"]:
                if widget["type"] == "log":
                    self.check(widget["properties"]["query"], ocsf)
                for metric in widget["properties"].get("metrics", []):
                    if metric[0] == "Passloom/passloom":
                        shown.add(metric[1])
            self.assertEqual(shown, made)
            for one in resources.values():
                if one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"]["Namespace"] == "Passloom/passloom":
                    self.assertIn(one["Properties"]["MetricName"], made)


def field(line: dict, selector: str):
    """The value of `$.a.b`, if there is one."""
    value = line
    for name in selector.removeprefix("$.").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def matches(pattern: str, line: dict) -> bool:
    """Whether a JSON filter pattern of CloudWatch Logs, of the kinds that the template uses, matches a line."""
    inner = re.fullmatch(r"\{ (.*) \}", pattern)[1]
    return any(holds(term, line) for term in inner.split(" || "))


def holds(term: str, line: dict) -> bool:
    selector, operator, wanted = re.fullmatch(r"(\$[\w.]+) (=|<|IS) (.+)", term).groups()
    value = field(line, selector)
    if operator == "IS":
        return value is True and wanted == "TRUE"
    if operator == "<":
        return value is not None and value < float(wanted)
    shape = re.escape(json.loads(wanted)).replace(r"\*", ".*")
    return isinstance(value, str) and re.fullmatch(shape, value) is not None


if __name__ == "__main__":
    unittest.main()
