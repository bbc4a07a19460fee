"""The part of Lambda's Runtime API that a function requires, on plain sockets in one thread.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import selectors
import socket
import time

EVENT_HEADERS = (
    "Content-Type: application/json\r\n"
    "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
    "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:measured\r\n"
    "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n"
)
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'


class Ended(Exception):
    """The function closed its connections, or reported that it cannot continue."""


class RuntimeApi:
    """Serves one function at a time."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = "127.0.0.1:{}".format(self.listener.getsockname()[1])
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.requests = []

    def request(self, timeout=120):
        """The next request, as (connection, whether it polls, body, time of arrival)."""
        while not self.requests:
            ready = self.selector.select(timeout)
            if not ready:
                raise Ended("no request before the timeout")
            for key, _ in ready:
                if key.data is None:
                    connection, _ = self.listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.selector.register(connection, selectors.EVENT_READ, bytearray())
                else:
                    self._read(key.fileobj, key.data)
        return self.requests.pop(0)

    def _read(self, connection, buffer):
        try:
            piece = connection.recv(1 << 16)
        except ConnectionError:
            piece = b""
        arrived = time.perf_counter_ns()
        if not piece:
            self.selector.unregister(connection)
            connection.close()
            return
        buffer += piece
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(buffer[:end]).decode("latin-1")
            lengths = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
            whole = end + 4 + int(lengths[0] if lengths else 0)
            if len(buffer) < whole:
                return
            body = bytes(buffer[end + 4 : whole])
            del buffer[:whole]
            polls = head.startswith("GET ")
            if not polls and not head.split(" ", 2)[1].endswith("/response"):
                raise Ended(f"the function posted an error: {body.decode(errors='replace')}")
            self.requests.append((connection, polls, body, arrived))

    @staticmethod
    def hand_over(connection, event):
        """Answers a poll with an event."""
        head = f"HTTP/1.1 200 OK\r\n{EVENT_HEADERS}Content-Length: {len(event)}\r\n\r\n"
        connection.sendall(head.encode() + event)

    @staticmethod
    def accept(connection):
        """Takes what was posted."""
        connection.sendall(ACCEPTED)

    def forget(self):
        """Closes every connection, for the next function."""
        for key in list(self.selector.get_map().values()):
            if key.data is not None:
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
        self.requests.clear()
