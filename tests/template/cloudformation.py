"""The template as CloudFormation evaluates it: translated by SAM, with conditions and references resolved.

Run as a program, it prints the translated template.
"""

import json
import pathlib
import re

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "template.yaml"
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "passloom",
    "AWS::URLSuffix": "amazonaws.com",
}


class Loader(yaml.SafeLoader):
    """Reads the short forms of functions: `!Ref x` is {"Ref": "x"}."""


def _short_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _short_form)
# A date remains text.
Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def source() -> dict:
    """The template before its translation."""
    return yaml.load(TEMPLATE.read_text(), Loader)


def translated(code_uri: str = "s3://bucket/key") -> dict:
    """The template after its translation by SAM."""
    template = source()
    template["Resources"]["Function"]["Properties"]["CodeUri"] = code_uri
    session = boto3.Session(region_name="eu-central-1")
    # The template uses no managed policy, so none has to be looked up.
    translator = Translator({}, Parser(), boto_session=session)
    defaults = {name: str(one["Default"]) for name, one in template["Parameters"].items()}
    return translator.translate(template, defaults)


def resolved(template: dict, **parameters) -> dict:
    """The resources that exist with these parameters, with conditions and references resolved."""
    values = {name: one["Default"] for name, one in template["Parameters"].items()} | PSEUDO | parameters
    conditions = template.get("Conditions", {})

    def holds(name):
        return bool(resolve(conditions[name]))

    def resolve(node):
        if isinstance(node, list):
            return [value for value in map(resolve, node) if value is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), = node.items()
            match name:
                case "Ref":
                    return values.get(argument, f"<{argument}>")
                case "Condition" if isinstance(argument, str):
                    return holds(argument)
                case "Fn::If":
                    return resolve(argument[1] if holds(argument[0]) else argument[2])
                case "Fn::Equals":
                    one, other = map(resolve, argument)
                    return str(one) == str(other)
                case "Fn::Not":
                    return not resolve(argument[0])
                case "Fn::And":
                    return all(resolve(one) for one in argument)
                case "Fn::GetAtt":
                    return f"<{'.'.join(argument)}>"
                case "Fn::Sub":
                    return substitute(argument)
        members = {name: resolve(value) for name, value in node.items()}
        return {name: value for name, value in members.items() if value is not None}

    def substitute(argument):
        text, variables = argument if isinstance(argument, list) else (argument, {})
        variables = {name: resolve(value) for name, value in variables.items()}
        return re.sub(r"\$\{([^}!]+)\}", lambda one: str((values | variables).get(one[1], f"<{one[1]}>")), text)

    resources = template["Resources"].items()
    return {name: resolve(one) for name, one in resources if "Condition" not in one or holds(one["Condition"])}


if __name__ == "__main__":
    print(json.dumps(translated(), indent=1))
