"""What a team would build with FastAPI: one conditional UpdateItem authenticates a key by its SHA-256 and counts the
request in a window of one minute. Passwords come from a secure generator, and an audit line does not contain them."""

import hashlib
import json
import os
import time

import boto3
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from mangum import Mangum

from generate import generate

TABLE = os.environ["TABLE_NAME"]
PER_MINUTE = int(os.environ["PER_MINUTE"])

dynamodb = boto3.client("dynamodb")
app = FastAPI()


@app.middleware("http")
async def audit(request: Request, call_next):
    response = await call_next(request)
    line = {"time": time.time(), "path": request.url.path, "source_ip": request.client.host, "status": response.status_code}
    print(json.dumps(line), flush=True)
    return response


def admit(x_api_key: str = Header("")):
    """Counts the request, or raises 401 or 429."""
    pk = hashlib.sha256(x_api_key.encode()).hexdigest()
    minute = int(time.time() // 60)
    try:
        dynamodb.update_item(
            TableName=TABLE,
            Key={"pk": {"S": pk}},
            UpdateExpression="ADD #now :one REMOVE #before",
            ConditionExpression="attribute_exists(pk) AND (attribute_not_exists(#now) OR #now < :limit)",
            ExpressionAttributeNames={"#now": f"m{minute}", "#before": f"m{minute - 1}"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": str(PER_MINUTE)}},
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        if "Item" in error.response:
            raise HTTPException(status_code=429, detail="too many requests") from error
        raise HTTPException(status_code=401, detail="unknown API key") from error


app.get("/api/generate", dependencies=[Depends(admit)])(generate)
handler = Mangum(app, lifespan="off")
