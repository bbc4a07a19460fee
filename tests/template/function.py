"""Runs the function as Lambda does: as a process that polls a runtime API."""

import http.server
import json
import queue
import subprocess
import threading


class Function:
    """A process of the function with exactly these variables, which ends with the `with` block."""

    def __init__(self, program: str, variables: dict):
        self.events, self.responses, self.lines = queue.Queue(), queue.Queue(), []
        outer = self

        class Api(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                event = outer.events.get()
                if event is None:
                    return
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:p")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                outer.responses.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        api = f"127.0.0.1:{self.server.server_port}"
        runtime = {
            "AWS_LAMBDA_RUNTIME_API": api,
            "AWS_LAMBDA_FUNCTION_NAME": "passloom",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        }
        self.process = subprocess.Popen([program], env=runtime | variables, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.lines += [json.loads(line) for line in self.process.stdout.read().splitlines()]
        self.process.wait()
        self.events.put(None)
        self.server.shutdown()

    def get(self, path: str, key: str = "", query: str = "") -> tuple[int, dict]:
        """Sends a GET request as an event of an HTTP API, and returns the status and the body."""
        self.events.put(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "headers": {"x-forwarded-proto": "https", "user-agent": "tests/1"} | ({"x-api-key": key} if key else {}),
                "requestContext": {
                    "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7"},
                    "requestId": "gateway-id",
                    "stage": "$default",
                },
                "isBase64Encoded": False,
            }
        )
        response = self.responses.get(timeout=30)
        return response["statusCode"], json.loads(response["body"])
