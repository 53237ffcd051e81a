"""What the roles of a template let their programs do: the part of IAM that moto does not play.

A program is known by its access key, which is its binary's name, or "broker"; its role is `<Name>Role`. Whoever has another key may
do anything. DynamoDB, SQS, SNS and secrets are looked at, SES is not.
"""

import fnmatch
import json
import urllib.parse

# Calls that IAM knows under another name: a batch is as many single calls.
SAME_AS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
TRANSACTED = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem"}
# What IAM knows no resource for.
OF_NOTHING = {"sns:Unsubscribe", "sns:CheckIfPhoneNumberIsOptedOut"}


class Rights:
    """The statements of each role that allow something."""

    def __init__(self, resources):
        self.roles = {}
        for name, resource in resources.items():
            if resource["Type"] == "AWS::IAM::Role":
                policies = resource["Properties"]["Policies"]
                stated = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
                # One that a condition decides about counts.
                self.roles[name] = [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in stated]

    def refusal(self, environ, body):
        """Why the request of a program is refused, if it is."""
        role = role_of(environ.get("HTTP_AUTHORIZATION", ""))
        if role in self.roles:
            for call in calls(environ.get("HTTP_X_AMZ_TARGET", ""), body):
                if not any(allows(statement, *call) for statement in self.roles[role]):
                    action, resource, partition = call
                    return f"{role} may not {action} on {resource}" + (f" in {partition}" if partition else "")
        return None


def role_of(authorization):
    key = authorization.partition("Credential=")[2].partition("/")[0]
    return "".join(word.capitalize() for word in key.split("_")) + "Role"


def calls(target, body):
    """Each (action, name of the resource, partition of the table) of a request."""
    if target.startswith("DynamoDB_"):
        yield from table_calls(target.partition(".")[2], json.loads(body))
    elif target.startswith("AmazonSQS."):
        request = json.loads(body)
        action = f"sqs:{target.partition('.')[2]}"
        queue = request.get("QueueUrl") or request.get("QueueName")
        yield SAME_AS.get(action, action), queue.rpartition("/")[2], None
    elif target.startswith("secretsmanager."):
        # An ARN ends in the secret's name, a hyphen and six characters.
        secret = json.loads(body)["SecretId"].rpartition(":")[2].rpartition("-")[0]
        yield f"secretsmanager:{target.partition('.')[2]}", secret, None
    elif b"Version=2010-03-31" in body:
        request = dict(urllib.parse.parse_qsl(body.decode()))
        action = f"sns:{request['Action']}"
        topic = request.get("TopicArn", "").rpartition(":")[2]
        yield action, "*" if action in OF_NOTHING else topic or "a telephone", None


def table_calls(operation, request):
    if operation == "TransactWriteItems":
        for item in request["TransactItems"]:
            for kind, write in item.items():
                yield from table_calls(TRANSACTED[kind], write)
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in request["RequestItems"]:
            yield f"dynamodb:{operation}", table, None
    else:
        where = request.get("Key") or request.get("Item")
        partition = where["pk"] if where else request["ExpressionAttributeValues"][":pk"]
        yield f"dynamodb:{operation}", request["TableName"], partition["S"]


def allows(statement, action, resource, partition):
    if action not in listed(statement["Action"]):
        return False
    partitions = statement.get("Condition", {}).get("ForAllValues:StringEquals", {}).get("dynamodb:LeadingKeys")
    if partitions and partition not in partitions:
        return False
    if "NotResource" in statement:
        # All that has an ARN of that kind.
        return resource == "a telephone"
    return any(fnmatch.fnmatchcase(resource, named(allowed)) for allowed in listed(statement["Resource"]))


def listed(value):
    return value if isinstance(value, list) else [value]


def named(resource):
    """The name of a resource as it is here, where each is called what the template calls it, and the stack `telltale`."""
    return resource.replace("${AWS::StackName}", "telltale").removesuffix(".Arn").rpartition(":")[2]
