"""Tests of the template: its resources, and its agreement with the code.

    python3 -m unittest discover --start-directory tests/template

FUNCTION and KEYS are the paths of the function and of passloom-admin. They default to the builds in target/.
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


# The throttle of each path that requires no key.
KEYLESS_THROTTLE = {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
# The throttle of the assets, which are large.
ASSETS_THROTTLE = {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 40}


def rust(*folders: str) -> str:
    return "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.rs")))


class Template(unittest.TestCase):
    """The translated template."""

    @classmethod
    def setUpClass(cls):
        cls.template = cloudformation.translated()
        cls.plain = cloudformation.resolved(cls.template)
        cls.full = cloudformation.resolved(cls.template, **EVERYTHING)
        cls.url = cloudformation.resolved(cls.template, Endpoint="function-url")

    def test_parameters_have_description_default_and_constraint(self):
        for name, one in cloudformation.source()["Parameters"].items():
            self.assertTrue(one["Description"].endswith("."), name)
            self.assertIn("Default", one, name)
            self.assertTrue({"AllowedValues", "AllowedPattern", "MinValue"} & one.keys(), name)

    def test_table_secret_and_audit_log_are_protected_and_retained(self):
        for resources in (self.plain, self.full, self.url):
            table = resources["Table"]
            self.assertEqual((table["DeletionPolicy"], table["UpdateReplacePolicy"]), ("Retain", "Retain"))
            self.assertIs(table["Properties"]["DeletionProtectionEnabled"], True)
            self.assertIs(table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], True)
            ttl = {"AttributeName": "delete_after", "Enabled": True}
            self.assertEqual(table["Properties"]["TimeToLiveSpecification"], ttl)
            for name in ("SigningSecret", "FunctionLogGroup"):
                self.assertEqual(resources[name]["DeletionPolicy"], "RetainExceptOnCreate", name)
            self.assertEqual(resources["FunctionLogGroup"]["Properties"]["RetentionInDays"], 90)

    def test_customer_managed_key_encrypts_table_and_logs(self):
        self.assertNotIn("EncryptionKmsKey", self.plain)
        self.assertNotIn("SSESpecification", self.plain["Table"]["Properties"])
        sse = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "<EncryptionKmsKey.Arn>"}
        self.assertEqual(self.full["Table"]["Properties"]["SSESpecification"], sse)
        for name in ("FunctionLogGroup", "ApiLogGroup"):
            self.assertEqual(self.full[name]["Properties"]["KmsKeyId"], "<EncryptionKmsKey.Arn>", name)
        self.assertIs(self.full["EncryptionKmsKey"]["Properties"]["EnableKeyRotation"], True)

    def test_customer_managed_key_encrypts_signing_secret_and_variables(self):
        key = "<EncryptionKmsKey.Arn>"
        for name, member in (("SigningSecret", "KmsKeyId"), ("Function", "KmsKeyArn")):
            self.assertEqual(self.full[name]["Properties"].get(member), key, name)
            self.assertNotIn(member, self.plain[name]["Properties"])
        # A change of these properties would generate a new secret, so they do not depend on a parameter.
        generated = [one["SigningSecret"]["Properties"]["GenerateSecretString"] for one in (self.plain, self.full)]
        self.assertEqual(*generated)

    def test_customer_managed_key_admits_account_only_through_table_and_secret(self):
        """Any other use requires an IAM policy."""
        services = set()
        for statement in self.full["EncryptionKmsKey"]["Properties"]["KeyPolicy"]["Statement"]:
            if statement["Principal"] != {"AWS": "*"}:
                continue
            condition = statement["Condition"]["StringEquals"]
            self.assertEqual(condition["kms:CallerAccount"], "123456789012")
            services.add(condition["kms:ViaService"])
        self.assertEqual(services, {f"{one}.{REGION}.amazonaws.com" for one in ("dynamodb", "secretsmanager")})

    def test_log_levels_for_any_parameters_keep_audit_lines(self):
        for resources in (self.plain, self.full, self.url):
            logging = resources["Function"]["Properties"]["LoggingConfig"]
            self.assertEqual((logging["LogFormat"], logging["ApplicationLogLevel"]), ("JSON", "INFO"))
            self.assertEqual(logging["SystemLogLevel"], "WARN")
        self.assertEqual(cloudformation.source()["Resources"]["Function"]["Properties"]["LoggingConfig"], logging | {
            "LogGroup": {"Ref": "FunctionLogGroup"}})

    def test_access_log_contains_no_caller_controlled_text(self):
        format = json.loads(self.plain["Stage"]["Properties"]["AccessLogSettings"]["Format"])
        allowed = {
            "requestId", "identity.sourceIp", "requestTime", "httpMethod", "routeKey", "status", "integrationStatus",
            "error.message",
        }
        self.assertEqual({field.removeprefix("$context.") for field in format.values()}, allowed)

    def test_access_log_reveals_no_length_and_no_time_of_an_answer(self):
        """The length of an answer reveals that of a passphrase, and its time the work for a policy or a password."""
        format = self.plain["Stage"]["Properties"]["AccessLogSettings"]["Format"]
        fields = set(re.findall(r"\$context\.([A-Za-z.]+)", format))
        # The arrival of the request.
        fields -= {"requestTime", "requestTimeEpoch"}
        for field in fields:
            self.assertNotRegex(field, "(?i)length|latency|duration|time|bytes|size")

    def test_stage_throttles_and_routes_every_request_to_function(self):
        settings = self.plain["Stage"]["Properties"]["DefaultRouteSettings"]
        self.assertEqual(settings, {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200})
        self.assertEqual(self.plain["Route"]["Properties"]["RouteKey"], "$default")
        for name, one in self.plain.items():
            if one["Type"] == "AWS::ApiGatewayV2::Route":
                self.assertEqual(one["Properties"]["Target"], "integrations/<Integration>", name)
        self.assertNotIn("ReservedConcurrentExecutions", self.plain["Function"]["Properties"])
        self.assertEqual(self.full["Function"]["Properties"]["ReservedConcurrentExecutions"], 5)

    def test_paths_without_a_key_have_routes_and_throttles_of_their_own(self):
        routes = {
            one["Properties"]["RouteKey"]: name
            for name, one in self.plain.items() if one["Type"] == "AWS::ApiGatewayV2::Route"
        }
        paths = keyless_paths() | {"/", "/docs"}
        # Every method of these paths, so that a request with a wrong method does not use up the throttle of the others.
        # Clients of AWS's API send a POST to /, which requires a key.
        keyless = {f"ANY {path}" for path in paths - {"/"}} | {"GET /", "HEAD /"}
        assets = "ANY /assets/{proxy+}"
        self.assertEqual(set(routes), {"$default", assets} | keyless)
        stage = self.plain["Stage"]
        throttles = dict.fromkeys(keyless, KEYLESS_THROTTLE) | {assets: ASSETS_THROTTLE}
        self.assertEqual(stage["Properties"]["RouteSettings"], throttles)
        # API Gateway rejects settings of a route that does not exist yet.
        self.assertEqual({routes[key] for key in keyless | {assets}}, set(stage["DependsOn"]))
        allowed = {
            one["Properties"]["SourceArn"].split(":")[-1]
            for one in self.plain.values() if one["Type"] == "AWS::Lambda::Permission"
        }
        paths |= {"$default", "/assets/*"}
        self.assertEqual(allowed, {f"<Api>/$default/{path if path == '$default' else f'*{path}'}" for path in paths})

    def test_requests_near_the_throttle_raise_an_alarm(self):
        for rate in (100, 250):
            resources = cloudformation.resolved(self.template, ThrottleRate=rate)
            self.assertNotIn("RequestRateAlarm", self.url)
            properties = resources["RequestRateAlarm"]["Properties"]
            self.assertEqual(metrics_of(properties), {"requests": ("AWS/ApiGateway", "Count", "<Api>", 60)})
            for requests, rings in ((0.79 * 60 * rate, False), (0.8 * 60 * rate, True), (2 * 60 * rate, True)):
                self.assertIs(is_breaching(properties, requests=requests), rings, (rate, requests))

    def test_many_answers_with_4xx_raise_an_alarm(self):
        """A 429 of API Gateway is no 5xx, and has no audit line."""
        metrics = {"requests": ("AWS/ApiGateway", "Count", "<Api>", 300), "errors": ("AWS/ApiGateway", "4xx", "<Api>", 300)}
        properties = self.plain["ClientErrorAlarm"]["Properties"]
        self.assertEqual(metrics_of(properties), metrics)
        metrics = {
            "requests": ("AWS/Lambda", "UrlRequestCount", "<Function>", 300),
            "errors": ("AWS/Lambda", "Url4xxCount", "<Function>", 300),
        }
        self.assertEqual(metrics_of(self.url["ClientErrorAlarm"]["Properties"]), metrics)
        for requests, errors, rings in [
            (299, 299, False), (300, 150, False), (300, 151, True),
            # 20 a second of 100 a second for /api/health are admitted, beside 10 answers a second for keys.
            (300 * 110, 300 * 80, True),
        ]:
            self.assertIs(is_breaching(properties, requests=requests, errors=errors), rings, (requests, errors))

    def test_request_without_key_has_a_metric_of_its_own(self):
        counting = {
            name for name, one in self.plain.items()
            if one["Type"] == "AWS::Logs::MetricFilter" and matches(one["Properties"]["FilterPattern"], {"reason": "no-key"})
        }
        self.assertEqual(counting, {"NoKeyMetric"})

    def test_refused_request_with_an_unproven_key_has_a_metric_and_an_alarm(self):
        refused = {"event": "request.refused", "reason": "unknown-parameter", "key_id": "0" * 24}
        for changed, counts in (
            ({"key_name": None}, True),
            ({"key_name": "ci"}, False),
            ({"key_name": None, "key_id": None}, False),
            ({"key_name": None, "event": "health.checked"}, False),
        ):
            pattern = self.plain["UnprovenKeysMetric"]["Properties"]["FilterPattern"]
            self.assertIs(matches(pattern, refused | changed), counts, changed)
        metric, = self.plain["UnprovenKeysMetric"]["Properties"]["MetricTransformations"]
        self.assertEqual(self.plain["UnprovenKeysAlarm"]["Properties"]["MetricName"], metric["MetricName"])

    def test_domain_name_disables_default_api_address(self):
        self.assertIs(self.plain["Api"]["Properties"]["DisableExecuteApiEndpoint"], False)
        self.assertIs(self.full["Api"]["Properties"]["DisableExecuteApiEndpoint"], True)
        configuration, = self.full["Domain"]["Properties"]["DomainNameConfigurations"]
        self.assertEqual(configuration["SecurityPolicy"], "TLS_1_2")
        self.assertNotIn("Domain", self.plain)

    def test_function_url_endpoint_creates_no_api_gateway(self):
        kinds = {one["Type"] for one in self.url.values()}
        self.assertFalse({kind for kind in kinds if kind.startswith("AWS::ApiGateway")})
        self.assertIn("AWS::Lambda::Url", kinds)
        self.assertNotIn("AWS::Lambda::Url", {one["Type"] for one in self.plain.values()})
        alarm = self.url["ServerErrorAlarm"]["Properties"]
        self.assertEqual((alarm["Namespace"], alarm["MetricName"]), ("AWS/Lambda", "Url5xxCount"))

    def test_alarms_with_topic_notify_it(self):
        alarms = {name for name, one in self.plain.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
        self.assertEqual(len(alarms), 10)
        for name in alarms:
            self.assertNotIn("AlarmActions", self.plain[name]["Properties"])
            self.assertEqual(self.full[name]["Properties"]["AlarmActions"], [EVERYTHING["AlarmTopicArn"]])

    def test_role_allows_only_actions_that_the_code_calls(self):
        # The methods of the client that the function calls: `.update_item()` is dynamodb:UpdateItem.
        called = set(re.findall(r"\.client\s*\.(\w+)\(\)", rust("src/store")))
        called = {"dynamodb:" + "".join(word.title() for word in one.split("_")) for one in called}
        self.assertEqual(called, {"dynamodb:GetItem", "dynamodb:UpdateItem"})
        for resources in (self.plain, self.full):
            allowed = {}
            # A policy that is a resource of its own may not be there yet when the function is created.
            self.assertNotIn("AWS::IAM::Policy", {one["Type"] for one in resources.values()})
            for policy in resources["FunctionRole"]["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    for action in statement["Action"]:
                        allowed[action] = statement["Resource"]
            logs = {"logs:CreateLogStream": "<FunctionLogGroup.Arn>", "logs:PutLogEvents": "<FunctionLogGroup.Arn>"}
            traces = {"xray:PutTraceSegments": "*", "xray:PutTelemetryRecords": "*"}
            expected = dict.fromkeys(called, "<Table.Arn>") | logs
            if resources is self.full:
                expected |= traces | {"kms:Decrypt": "<EncryptionKmsKey.Arn>"}
            self.assertEqual(allowed, expected)

    def test_code_is_what_make_build_makes(self):
        function = cloudformation.source()["Resources"]["Function"]
        self.assertEqual(function["Properties"]["CodeUri"], "target/lambda/passloom")
        self.assertNotIn("BuildMethod", function["Metadata"], "SAM must not build another function")

    def test_dashboard_is_one_of_its_region_and_partition(self):
        self.assertEqual(self.plain["Dashboard"]["Properties"]["DashboardName"], "passloom-eu-central-1")
        hosts = cloudformation.source()["Mappings"]["Console"]
        self.assertEqual(set(hosts), {"aws", "aws-cn", "aws-us-gov"})

    def test_missing_sequence_numbers_are_counted_exactly(self):
        query = self.plain["SequenceGapsQuery"]["Properties"]["QueryString"]
        self.assertNotIn("count_distinct", query)
        self.assertIn("filter missing != 0", query)

    def test_environment_variables_match_the_settings(self):
        given = set(self.plain["Function"]["Properties"]["Environment"]["Variables"])
        text = (ROOT / "src/settings.rs").read_text()
        read = set(re.findall(r'reader\s*\.(?:required|optional|parsed)\("([A-Z_]+)"', text))
        read |= set(re.findall(r'self\s*\.(?:required|optional|parsed)\("([A-Z_]+)"', text))
        expected = {name for name in read if not name.startswith("AWS_")} | {"AWS_ENDPOINT_URL_DYNAMODB"}
        # Set by other deployments only.
        self.assertEqual(expected - given, {"ALLOW_HTTP"})
        self.assertEqual(given - expected, set())

    def test_endpoint_of_dynamodb_is_that_of_the_sdk_in_each_partition(self):
        suffixes = {"eu-central-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "us-gov-west-1": "amazonaws.com"}
        for region, suffix in suffixes.items():
            resources = cloudformation.resolved(self.template, **{"AWS::Region": region, "AWS::URLSuffix": suffix})
            variables = resources["Function"]["Properties"]["Environment"]["Variables"]
            client = boto3.client("dynamodb", region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
            self.assertEqual(variables["AWS_ENDPOINT_URL_DYNAMODB"], client.meta.endpoint_url)

    def test_outputs_have_description_and_first_key_command_is_complete(self):
        for name, one in cloudformation.source()["Outputs"].items():
            self.assertTrue(one["Description"].endswith("."), name)
        command = json.dumps(self.template["Outputs"]["FirstKeyCommand"])
        for part in ("passloom-admin keys create", "TABLE_NAME", "KEY_SIGNING_SECRET", "AWS_REGION"):
            self.assertIn(part, command)


class Stack(unittest.TestCase):
    """The template deployed to moto, an AWS emulator: its role, its table and the built function."""

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
        """Creates the stack and returns the variables of its function, with the credentials of its role."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"inf", timeout=10)
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        s3 = self.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        with tempfile.TemporaryFile() as archive:
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr("bootstrap", "a placeholder: moto does not run the function")
            archive.seek(0)
            s3.upload_fileobj(archive, "bucket", "key")
        # moto does not remove AWS::NoValue from a list. These policies have it as their alternative.
        policies = template["Resources"]["FunctionRole"]["Properties"]["Policies"]
        policies[:] = [one for one in policies if "Fn::If" not in one]
        stacks = self.client("cloudformation")
        stacks.create_stack(
            StackName="passloom",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": k, "ParameterValue": str(v)} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        described = stacks.describe_stack_resources(StackName="passloom")["StackResources"]
        # moto reports no physical id for resources that it does not create.
        created = [one for one in described if "PhysicalResourceId" in one]
        physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in created}
        self.resources = physical
        # moto creates no secrets for a stack, but generates one from the same properties.
        properties = template["Resources"]["SigningSecret"]["Properties"]["GenerateSecretString"]
        secret = self.client("secretsmanager").get_random_password(**properties)["RandomPassword"]
        self.assertRegex(secret, "^[0-9a-f]{64}$")
        iam = self.client("iam")
        role = iam.get_role(RoleName=physical["FunctionRole"])["Role"]["Arn"]
        # moto cannot evaluate the policies of a stack as it stores them, and does not distinguish DynamoDB tables.
        # Therefore the policies are added again, for all resources. A test of the template checks the resources.
        for policy in cloudformation.resolved(template, **parameters)["FunctionRole"]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                statement["Resource"] = "*"
            document = json.dumps(policy["PolicyDocument"])
            iam.put_role_policy(
                RoleName=physical["FunctionRole"], PolicyName=policy["PolicyName"], PolicyDocument=document
            )
        credentials = self.client("sts").assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
        properties = cloudformation.resolved(template, **parameters)["Function"]["Properties"]
        variables = {name: str(value) for name, value in properties["Environment"]["Variables"].items()}
        variables |= {"TABLE_NAME": physical["Table"], "KEY_SIGNING_SECRET": secret}
        return {name: value for name, value in variables.items() if value} | {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
        }

    def create_key(self, variables: dict, per_minute: int, name: str = "test") -> str:
        """Creates a key with passloom-admin and the credentials of an administrator."""
        environment = variables | {"AWS_ACCESS_KEY_ID": "admin", "AWS_SECRET_ACCESS_KEY": "admin", "AWS_SESSION_TOKEN": ""}
        command = [os.environ.get("KEYS", str(ROOT / "target/debug/passloom-admin")), "keys", "create", "--name", name, "--json"]
        created = subprocess.run(
            [*command, "--per-minute", str(per_minute), "--per-day", "1000"], env=environment, capture_output=True, check=True
        )
        return json.loads(created.stdout)["key"]

    def enforce_policies(self):
        """From now on a call is denied unless a policy allows it."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"0", timeout=10)

    def test_function_with_its_role_serves_requests_and_metrics_count_them(self):
        template = cloudformation.translated()
        variables = self.deploy(template)
        for name in ("Table", "FunctionRole", "FunctionLogGroup", "ApiLogGroup", "Function"):
            self.assertIn(name, self.resources)
        key = self.create_key(variables, 3)
        forged = self.create_key(variables | {"KEY_SIGNING_SECRET": "00" * 32}, 3, "forged")
        self.enforce_policies()
        with Function(FUNCTION, variables) as function:
            status, body = function.get("/api/generate", key, "count=3")
            self.assertEqual((status, len(body.get("passwords", []))), (200, 3), body)
            self.assertEqual(function.get("/api/passphrase", key)[0], 200)
            self.assertEqual(function.get("/api/generate", key, "lenght=3")[0], 400)
            self.assertEqual(function.get("/api/policy", key)[0], 200)
            self.assertEqual(function.get("/api/generate", key)[0], 429)
            self.assertEqual(function.get("/api/generate", forged)[0], 401)
            self.assertEqual(function.get("/api/generate")[0], 401)
            self.assertEqual(function.get("/api/health")[0], 200)
        with Function(FUNCTION, variables | {"TABLE_NAME": "no-such-table"}) as broken:
            self.assertEqual(broken.get("/api/generate", key)[0], 503)
        self.check_metrics(cloudformation.resolved(template), function.lines + broken.lines)

    def check_metrics(self, resources: dict, lines: list):
        """Checks what the metric filters count in these audit lines."""
        counted = {}
        for name, one in resources.items():
            if one["Type"] == "AWS::Logs::MetricFilter":
                transformation, = one["Properties"]["MetricTransformations"]
                matching = [line for line in lines if matches(one["Properties"]["FilterPattern"], line)]
                value = transformation["MetricValue"]
                numbers = [field(line, value) if value.startswith("$.") else float(value) for line in matching]
                counted[transformation["MetricName"]] = sum(numbers)
        expected = {
            "Succeeded": 4, "Refused": 4, "Failed": 1, "Generated": 4, "RateLimited": 1, "ForgedKeys": 1,
            "NoKey": 1, "UnprovenKeys": 1, "DatabaseUnavailable": 1, "ColdStarts": 2, "PolicyChanges": 0,
            "UnknownPolicyChanges": 0,
        }
        self.assertEqual(counted, expected)

    def test_policy_without_an_action_returns_503(self):
        # The policies are read, the request is counted with a write.
        for missing, query in (("dynamodb:GetItem", "policy=ci"), ("dynamodb:UpdateItem", "")):
            template = cloudformation.translated()
            statement, = template["Resources"]["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
            statement["Action"].remove(missing)
            variables = self.deploy(template)
            key = self.create_key(variables, 3)
            self.enforce_policies()
            with Function(FUNCTION, variables) as function:
                self.assertEqual(function.get("/api/generate", key, query)[0], 503, missing)
            self.assertRegex(function.lines[-1]["reason"], "^(store|policies): DynamoDB answered ")

    def test_role_is_denied_every_other_table_action(self):
        variables = self.deploy(cloudformation.translated())
        self.enforce_policies()
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
    """The saved queries and the dashboard."""

    COMMANDS = {"SOURCE", "fields", "filter", "stats", "sort", "limit"}
    WORDS = {
        "as", "by", "in", "and", "or", "desc", "asc", "sum", "min", "max", "count", "count_distinct", "bin", "ispresent",
        "d", "not", "strcontains",
    }

    def schema_fields(self) -> set:
        schema = json.loads((ROOT / "docs/audit.schema.json").read_text())
        return set(schema["properties"]) | {"@timestamp"}

    def check(self, query: str):
        fields, aliases = self.schema_fields(), set(re.findall(r"\bas (\w+)", query))
        for command in re.split(r"\s*\|\s*", query.strip()):
            name, _, rest = command.partition(" ")
            self.assertIn(name, self.COMMANDS, query)
            if name == "SOURCE":
                continue
            self.assertEqual(rest.count("("), rest.count(")"), query)
            rest = re.sub(r'"[^"]*"', "", rest)
            for word in re.findall(r"@?[A-Za-z_][A-Za-z_.]*", rest):
                self.assertIn(word, fields | aliases | self.WORDS, query)

    def test_saved_queries_use_existing_audit_fields(self):
        template = cloudformation.translated()
        resources = cloudformation.resolved(template)
        queries = [one for one in resources.values() if one["Type"] == "AWS::Logs::QueryDefinition"]
        self.assertEqual(len(queries), 7)
        for one in queries:
            self.check(one["Properties"]["QueryString"])

    def test_every_generated_secret_is_counted_and_found(self):
        schema = json.loads((ROOT / "docs/audit.schema.json").read_text())
        events = {event for event in schema["properties"]["event"]["enum"] if event.endswith(".generated")}
        resources = cloudformation.resolved(cloudformation.translated())
        for name, member in (
            ("GeneratedMetric", "FilterPattern"), ("GeneratedQuery", "QueryString"), ("UsageQuery", "QueryString"),
        ):
            named = re.findall(r'"(\w+\.generated)"', resources[name]["Properties"][member])
            self.assertEqual(set(named), events, name)

    def test_dashboard_and_alarms_use_existing_metrics(self):
        template = cloudformation.translated()
        resources = cloudformation.resolved(template)
        defined = {
            transformation["MetricName"]
            for one in resources.values() if one["Type"] == "AWS::Logs::MetricFilter"
            for transformation in one["Properties"]["MetricTransformations"]
        }
        body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"])
        shown = set()
        for widget in body["widgets"]:
            if widget["type"] == "log":
                self.check(widget["properties"]["query"])
            for metric in widget["properties"].get("metrics", []):
                if metric[0] == "Passloom/passloom":
                    shown.add(metric[1])
        self.assertEqual(shown, defined)
        for one in resources.values():
            if one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"].get("Namespace") == "Passloom/passloom":
                self.assertIn(one["Properties"]["MetricName"], defined)


def keyless_paths() -> set:
    """The paths whose operations require no key, according to the published contract, and those of Vault's API."""
    paths = json.loads((ROOT / "src/http/openapi.json").read_text())["paths"]
    security = {path: operations.get("get", {}).get("security") for path, operations in paths.items()}
    keyless = {path for path, schemes in security.items() if schemes == [] or {} in (schemes or [])}
    return keyless | {f"/v1/sys/{name}" for name in ("health", "init", "leader", "seal-status")}


def metrics_of(alarm: dict) -> dict:
    """The metrics of an alarm with an expression: namespace, name, dimension and period."""
    found = {}
    for one in alarm["Metrics"]:
        if "MetricStat" in one:
            metric = one["MetricStat"]["Metric"]
            dimension, = metric["Dimensions"]
            found[one["Id"]] = (metric["Namespace"], metric["MetricName"], dimension["Value"], one["MetricStat"]["Period"])
    return found


def is_breaching(alarm: dict, **metrics: float) -> bool:
    """Whether an alarm with an expression rings at these values of its metrics."""
    expression, = [one["Expression"] for one in alarm["Metrics"] if one.get("ReturnData", True)]
    functions = {"IF": lambda condition, one, other: one if condition else other}
    value = eval(expression, {"__builtins__": {}}, functions | metrics)
    compare = {"GreaterThanThreshold": float.__gt__, "GreaterThanOrEqualToThreshold": float.__ge__}
    return compare[alarm["ComparisonOperator"]](round(float(value), 6), float(alarm["Threshold"]))


def field(line: dict, selector: str):
    """The value of `$.a.b`, or None."""
    value = line
    for name in selector.removeprefix("$.").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def matches(pattern: str, line: dict) -> bool:
    """Whether a JSON filter pattern of CloudWatch Logs matches a line. Supports the syntax that the template uses."""
    inner = re.fullmatch(r"\{ (.*) \}", pattern)[1]
    return any(all(holds(term, line) for term in terms.split(" && ")) for terms in inner.split(" || "))


def holds(term: str, line: dict) -> bool:
    selector, operator, expected = re.fullmatch(r"(\$[\w.]+) (=|<|IS) (.+)", term).groups()
    value = field(line, selector)
    if operator == "IS":
        return value is {"TRUE": True, "NULL": None}[expected]
    if operator == "<":
        return value is not None and value < float(expected)
    pattern = re.escape(json.loads(expected)).replace(r"\*", ".*")
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


if __name__ == "__main__":
    unittest.main()
