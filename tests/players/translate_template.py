"""Prints what the SAM transform makes of a template, as JSON: what CloudFormation is given in the end. Asks no AWS.

Argument: the template's path.
"""

import json
import logging
import os
import sys

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def translate(template):
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # The transform wants to know where the built code lies. Nothing is built here.
            resource["Properties"]["CodeUri"] = "s3://built/code.zip"
    # No policy of AWS's own is used: a role that named one would fail here.
    return Translator(managed_policy_map={}, sam_parser=Parser()).translate(template, parameter_values={})


# The partition in which ARNs are made up.
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
logging.disable()
with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps(translate(yaml_parse(file.read()))))
