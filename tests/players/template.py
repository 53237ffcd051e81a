"""What those who play AWS read in a CloudFormation template."""

import functools

import boto3
import yaml

ACCOUNT, REGION = "123456789012", "us-east-1"


class Template(yaml.SafeLoader):
    """Reads a template; what stands behind `!Ref`, `!GetAtt` and their like stays as it is written."""


Template.add_multi_constructor("!", lambda _loader, _tag, node: node.value)


def read(template):
    return yaml.load(template, Template)


@functools.cache
def client(service, endpoint):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, **keys)


def create_table(endpoint, name, properties):
    """Makes a table as the template has it, under its name there."""
    keys = {key: properties[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    dynamodb = client("dynamodb", endpoint)
    dynamodb.create_table(TableName=name, **keys)
    if expiry := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
