"""Plays AWS: moto, with DynamoDB requests one at a time, since it loses acknowledged writes when they come at once, and with
the rights that a template gives (rights.py).

What moto 5.2 is known to get wrong, so that nothing here shows it:
  lost writes           a transaction that fails puts back the table as it was, with what others wrote meanwhile: hence the lock
  transaction tokens    a repeated one is not seen as one, the transaction is done twice; nor is one with other writes refused
  expression values     one that is not used is accepted; one that is used and not given is a 500
  batches               26 writes in one call are accepted
  numbers               those of 39 digits are accepted
  write capacity        a write is told to cost 1, whatever its size
  expiry                expired items are never removed
  load                  nothing is ever throttled or in conflict, and no answer is lost, but for the orders below
  dead letters          SQS does not redrive them: start_message_move_task is a 500
  letters' templates    SES v2 has none, nor a list of the suppressed: 404
  schedules             the Scheduler never fires one, and takes any expression: tests fire functions themselves

Orders:   create {template}: makes the tables, queues, topics and secrets of a CloudFormation template
          create_table {name, properties}: makes a table more, as a template would have it
          put {queue, body}: a message that AWS itself puts into a queue
          receive {queue}: takes what a queue gives, ten messages at most
          forget {queue, receipts}: deletes what was received
          give_again {queue, receipts}: what was received by these receipts may be received again
          tell_sent {}: what people were sent by SNS and SES
          verify_sender {address}: SES knows it from now on
          keep_secret {name, text}: Secrets Manager keeps it
          show {queue}: what a queue hides for a time, or holds back, it gives now
          hold {partition}: the next write to a partition whose name begins so hangs, alone or in a transaction, and is done
          once let_go {} is ordered
          be_busy {times}: the next calls are answered as AWS does when it has too much to do
          lose_answers {times}: the next writes to DynamoDB are done, and answered as if something had failed
Reports:  listening <port>, once; created {<resource>: <the table's name, the queue's URL, the topic's or secret's ARN>} for each
          template, functions {<binary>: {<variable>: <value>}}, broker {<variable>: <value>} and timeouts {<binary>: <seconds>}
          with it; messages [{id, receipt, receives, body, attributes}] for each receive; sent {sms, mails, published} for each tell_sent; secret <ARN>
          for each keep_secret; held <partition> when a write hangs; done <order> when any other order is done.
"""

import asyncio
import http
import io
import json
import logging
import os
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.models import sqs_backends
from werkzeug.serving import make_server

from contents import refused
from control import obey, report
from rights import Rights
from sent import everything
from template import ACCOUNT, REGION, client, create_table, read

# What brokers listen to: nothing that people are sent.
BROWSER_TOPIC = "BrowserTopic"


def conflict(_request):
    return {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException", "message": "Transaction is ongoing"}


def cancelled(request):
    reasons = [{"Code": "None"} for _ in request["TransactItems"]]
    reasons[-1] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    return {"__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons}


def throttled(_request):
    return {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"}


def failed():
    return {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "Internal server error"}


def not_sent(request):
    failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in request["Entries"]]
    return {"Successful": [], "Failed": failed}


BUSY = {
    "DynamoDB_20120810.PutItem": (400, conflict),
    "DynamoDB_20120810.DeleteItem": (400, conflict),
    "DynamoDB_20120810.TransactWriteItems": (400, cancelled),
    "DynamoDB_20120810.Query": (400, throttled),
    "DynamoDB_20120810.BatchGetItem": (200, lambda request: {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}),
    "DynamoDB_20120810.BatchWriteItem": (200, lambda request: {"UnprocessedItems": request["RequestItems"]}),
    "AmazonSQS.SendMessageBatch": (200, not_sent),
}


WRITES = [f"DynamoDB_20120810.{write}" for write in ("PutItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")]


class Aws:
    """moto's application, and what stands before it."""

    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.dynamodb = threading.Lock()
        self.counting = threading.Lock()
        self.left = {"be_busy": 0, "lose_answers": 0}
        self.held_partition = None
        self.let_go = threading.Event()
        self.went_on = threading.Event()
        self.went_on.set()
        self.rights = Rights({})

    def __call__(self, environ, start_response):
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if why := self.rights.refusal(environ, body):
            # A program may go on without a right, and nobody would notice. So the test is not to go on.
            print(why, file=sys.stderr, flush=True)
            os._exit(1)
        if target in BUSY and self.takes("be_busy"):
            status, refusal = BUSY[target]
            return answer(status, refusal(json.loads(body)), start_response)
        if refused(target, body):
            return answer(400, {"__type": "com.amazonaws.sqs#InvalidMessageContents", "message": "Invalid characters"}, start_response)
        if not target.startswith("DynamoDB_"):
            return self.moto(environ, start_response)
        if target.endswith((".TransactWriteItems", ".PutItem")) and self.is_to_hang(body):
            return self.hang(environ, start_response)
        with self.dynamodb:
            if target in WRITES and self.takes("lose_answers"):
                b"".join(self.moto(environ, lambda *_: None))
                return answer(500, failed(), start_response)
            return self.moto(environ, start_response)

    def takes(self, order):
        """Whether a call is one of those that an order is about."""
        with self.counting:
            self.left[order] -= 1
            return self.left[order] >= 0

    async def ordered(self, order, times):
        self.left[order] = times
        report("done", order)

    def is_to_hang(self, body):
        if not self.held_partition:
            return False
        with self.counting:
            partition = self.held_partition
            if not partition or not any(written.startswith(partition) for written in written_to(json.loads(body))):
                return False
            self.held_partition = None
            self.went_on.clear()
        report("held", partition)
        return True

    def hang(self, environ, start_response):
        # Longer than any test waits.
        self.let_go.wait(timeout=120)
        with self.dynamodb:
            answer = self.moto(environ, start_response)
        self.went_on.set()
        return answer

    async def hold(self, partition):
        self.held_partition = partition
        self.let_go.clear()
        report("done", "hold")

    async def release(self):
        self.let_go.set()
        await asyncio.to_thread(self.went_on.wait)
        report("done", "let_go")


def written_to(request):
    """The partitions that a write or a transaction writes to."""
    writes = [write for item in request["TransactItems"] for write in item.values()] if "TransactItems" in request else [request]
    return [(write.get("Item") or write["Key"])["pk"]["S"] for write in writes]


def answer(status, body, start_response):
    body = json.dumps(body).encode()
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {http.HTTPStatus(status).phrase}", headers)
    return io.BytesIO(body)


async def main():
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    aws = Aws()
    server = make_server("127.0.0.1", 0, aws, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"

    def create(template):
        """Makes what the template has, each under its name there. moto's own CloudFormation fails on functions."""
        made = {}
        for name, resource in read(template)["Resources"].items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::DynamoDB::Table":
                create_table(endpoint, name, properties)
                made[name] = name
            elif resource["Type"] == "AWS::SNS::Topic":
                made[name] = client("sns", endpoint).create_topic(Name=name)["TopicArn"]
            elif resource["Type"] == "AWS::SQS::Queue":
                made[name] = client("sqs", endpoint).create_queue(QueueName=name)["QueueUrl"]
            elif resource["Type"] == "AWS::SecretsManager::Secret":
                made[name] = secret(name, **properties["GenerateSecretString"])
        limit(template, made)
        aws.rights = Rights(read(template)["Resources"])
        report("created", made)
        report("functions", functions(template, made))
        report("broker", broker(template, made))
        report("timeouts", timeouts(template))

    def limit(template, made):
        """Tells each queue how long it hides what it gave, and after how many times it gives a message up."""
        for name, resource in read(template)["Resources"].items():
            properties = resource.get("Properties", {})
            if resource["Type"] != "AWS::SQS::Queue" or "RedrivePolicy" not in properties:
                continue
            policy = properties["RedrivePolicy"]
            dead_letters = policy["deadLetterTargetArn"].removesuffix(".Arn")
            policy = {**policy, "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead_letters}"}
            attributes = {
                "VisibilityTimeout": str(properties["VisibilityTimeout"]),
                "RedrivePolicy": json.dumps(policy),
            }
            client("sqs", endpoint).set_queue_attributes(QueueUrl=made[name], Attributes=attributes)

    def timeouts(template):
        """How many seconds each function may take, by its binary."""
        document = read(template)
        usual = document["Globals"]["Function"]["Timeout"]
        return {
            resource["Metadata"]["BuildProperties"]["Binary"]: resource["Properties"].get("Timeout", usual)
            for resource in document["Resources"].values()
            if resource["Type"] == "AWS::Serverless::Function"
        }

    def secret(name, **wishes):
        """Makes a secret that nobody knows, and gives its ARN."""
        secrets = client("secretsmanager", endpoint)
        value = secrets.get_random_password(**wishes)["RandomPassword"]
        return secrets.create_secret(Name=name, SecretString=value)["ARN"]

    def functions(template, made):
        """The variables of each function, by its binary, as the template sets them."""
        document = read(template)
        common = document["Globals"]["Function"]["Environment"]["Variables"]
        found = {}
        for resource in document["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                own = resource["Properties"].get("Environment", {}).get("Variables", {})
                told = {**common, **own}.items()
                found[resource["Metadata"]["BuildProperties"]["Binary"]] = {
                    name: resolved(value, document["Parameters"], made) for name, value in told if isinstance(value, str)
                }
        return found

    def broker(template, made):
        """The variables of the broker's container, as the template sets them."""
        document = read(template)
        container = document["Resources"]["BrokerTask"]["Properties"]["ContainerDefinitions"][0]
        told = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
        return {name: resolved(value, document["Parameters"], made) for name, value in told.items()}

    def create_one_table(name, properties):
        create_table(endpoint, name, properties)
        report("done", "create_table")

    def put(queue, body):
        client("sqs", endpoint).send_message(QueueUrl=queue, MessageBody=body)
        report("done", "put")

    def resolved(value, parameters, made):
        default = str(parameters[value].get("Default", "")) if value in parameters else value
        return made.get(value, default).replace("${AWS::StackName}", "telltale")

    def receive(queue):
        answer = client("sqs", endpoint).receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        report("messages", [received(message) for message in answer.get("Messages", [])])

    def received(message):
        attributes = message.get("MessageAttributes", {})
        return {
            "id": message["MessageId"],
            "receipt": message["ReceiptHandle"],
            "receives": message["Attributes"]["ApproximateReceiveCount"],
            "body": message["Body"],
            "attributes": {name: attribute["StringValue"] for name, attribute in attributes.items()},
        }

    def forget(queue, receipts):
        for receipt in receipts:
            client("sqs", endpoint).delete_message(QueueUrl=queue, ReceiptHandle=receipt)
        report("done", "forget")

    def give_again(queue, receipts):
        for receipt in receipts:
            client("sqs", endpoint).change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=0)
        report("done", "give_again")

    def tell_sent():
        report("sent", everything(left_out=BROWSER_TOPIC))

    def verify_sender(address):
        client("sesv2", endpoint).create_email_identity(EmailIdentity=address)
        report("done", "verify_sender")

    def keep_secret(name, text):
        report("secret", client("secretsmanager", endpoint).create_secret(Name=name, SecretString=text)["ARN"])

    def show(queue):
        """SQS has no order for this: what was never received has no receipt to change its time by."""
        for message in list(sqs_backends[ACCOUNT][REGION].queues[queue.rsplit("/", 1)[1]]._messages):
            message.visible_at = message.delayed_until = 0.0
        report("done", "show")

    report("listening", server.server_port)
    await obey(
        {
            "create": lambda **arguments: asyncio.to_thread(create, **arguments),
            "create_table": lambda **arguments: asyncio.to_thread(create_one_table, **arguments),
            "forget": lambda **arguments: asyncio.to_thread(forget, **arguments),
            "give_again": lambda **arguments: asyncio.to_thread(give_again, **arguments),
            "put": lambda **arguments: asyncio.to_thread(put, **arguments),
            "receive": lambda **arguments: asyncio.to_thread(receive, **arguments),
            "tell_sent": lambda **arguments: asyncio.to_thread(tell_sent, **arguments),
            "verify_sender": lambda **arguments: asyncio.to_thread(verify_sender, **arguments),
            "keep_secret": lambda **arguments: asyncio.to_thread(keep_secret, **arguments),
            "show": lambda **arguments: asyncio.to_thread(show, **arguments),
            "hold": aws.hold,
            "let_go": aws.release,
            "be_busy": lambda times: aws.ordered("be_busy", times),
            "lose_answers": lambda times: aws.ordered("lose_answers", times),
        }
    )


asyncio.run(main())
