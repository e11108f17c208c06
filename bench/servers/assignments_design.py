"""What this service was at first, written plainly: Flask, the token read from SSM and one call to SQS per request.

It runs in a virtual environment of its own, for nothing else needs Flask. QUEUE_URL: the queue's.
TOKEN_PARAMETER: the name of the token in SSM.
Run: `python assignments_design.py --port PORT`, or `gunicorn assignments_design:app`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any, Final

import boto3
from botocore.config import Config
from flask import Flask, jsonify, request

FIELDS: Final = ("email_subject", "email_sender", "email_timestream", "email_content")
# As many connections as there are clients: the default of ten would have most calls open one of their own.
_CONFIG: Final = Config(max_pool_connections=64)

app = Flask(__name__)
ssm = boto3.client("ssm", config=_CONFIG)
sqs = boto3.client("sqs", config=_CONFIG)


def process_request() -> tuple[Any, int]:
    """Answer one POST /process_request."""
    posted = request.get_json()
    token = ssm.get_parameter(Name=os.environ["TOKEN_PARAMETER"], WithDecryption=True)["Parameter"]["Value"]
    if posted.get("token") != token:
        return jsonify({"error": "Invalid token"}), 401
    data = posted.get("data", {})
    if not all(data.get(name) for name in FIELDS) or int(data["email_timestream"]) > time.time():
        return jsonify({"error": "Invalid date format or fields"}), 400
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(data))
    return jsonify({"message": "Request processed successfully"}), 200


app.add_url_rule("/process_request", view_func=process_request, methods=["POST"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The first design, on Flask's own server.")
    parser.add_argument("--port", type=int, required=True)
    app.run(port=parser.parse_args().port)
