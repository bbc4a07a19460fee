"""The database of the benchmarks: the embedded DynamoDB of dev/database.rs."""

import hashlib
import json
import os
import subprocess
import time
import urllib.request

from subject import OTHER_CORES

# The slots of the rate limit: docs/rate-limiting.md.
SLOT_SECONDS, KEPT_SECONDS = 4, 66


class Database:
    def __init__(self, program):
        os.sched_setaffinity(0, OTHER_CORES)
        # RSA, as DynamoDB's certificates: no crate of the database generates such keys. It protects nothing.
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                             capture_output=True, text=True, check=True).stdout
        self.process = subprocess.Popen([program, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        reached = json.loads(self.process.stdout.readline())
        self.plain, self.tls, self.authority = reached["plain"], reached["tls"], reached["authority"]
        self.table, self.signing_secret = reached["table"], reached["signing_secret"]
        self.key, self.unknown = reached["key"], reached["unknown"]
        self.key_id = {"pk": self._items()[0]["pk"]}

    def calls(self):
        """The calls over TLS so far."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def call(self, operation, **parameters):
        """Makes a call that is not counted. The database checks no signatures."""
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Date": "20260101T000000Z",
                   "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, "
                                    "SignedHeaders=host;x-amz-date, Signature=0"}
        request = urllib.request.Request(self.plain, json.dumps(parameters).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def _items(self):
        return self.call("Scan", TableName=self.table, ConsistentRead=True)["Items"]

    def prepare_references(self, limits_table):
        """Creates what the references in other languages need, and returns the SHA-256 of the key."""
        sha256 = hashlib.sha256(self.key.encode()).hexdigest()
        self.call("CreateTable", TableName=limits_table, BillingMode="PAY_PER_REQUEST",
                  KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
                  AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}])
        self.call("PutItem", TableName=self.table, Item={"pk": {"S": sha256}})
        return sha256

    def fill_window(self):
        """Gives the key the item that it has while it is used all the time, so that its size stays the same."""
        slot = int(time.time() / SLOT_SECONDS)
        slots = list(range(slot - KEPT_SECONDS // SLOT_SECONDS, slot + 1))
        item = self.call("GetItem", TableName=self.table, Key=self.key_id, ConsistentRead=True)["Item"]
        old = {name for name in item if name[0] == "m" and name[1:].isdigit()} - {f"m{slot}" for slot in slots}
        # Six digits, as after some use. The count never decreases.
        n = str(max(int(item["n"]["N"]), 100_000))
        update = "SET n = :n, c = :c, " + ", ".join(f"m{slot} = :n" for slot in slots)
        if old:
            update += " REMOVE " + ", ".join(sorted(old))
        self.call("UpdateItem", TableName=self.table, Key=self.key_id, UpdateExpression=update,
                  ExpressionAttributeValues={":n": {"N": n}, ":c": {"N": "4000000000"}})

    def bind_key(self, policy):
        """Binds the key to a preset, as passloom-admin does."""
        self.call("UpdateItem", TableName=self.table, Key=self.key_id,
                  UpdateExpression="SET v = v + :one, binding = :binding REMOVE c",
                  ExpressionAttributeValues={":one": {"N": "1"}, ":binding": {"M": {"preset": {"S": policy}}}})

    def end(self):
        self.process.stdin.close()
        self.process.wait()
