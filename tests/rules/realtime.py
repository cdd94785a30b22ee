"""A subscriber of PocketBase's realtime, reading in the background."""

import http.client
import json
import socket
import threading
import time


class Subscriber:
    """Subscribes to topics with a role's token and keeps (topic, action, record id) of every event."""

    def __init__(self, server, token, topics):
        self.heard, self.changed = [], threading.Condition()
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.connection.request("GET", "/api/realtime", headers={"Accept": "text/event-stream"})
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        client = json.loads(self._message()[1])["clientId"]
        body = {"clientId": client, "subscriptions": topics}
        self.status, _ = server.call("POST", "/api/realtime", body, token)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _message(self):
        topic = data = ""
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("event:"):
                topic = line[6:]
            elif line.startswith("data:"):
                data = line[5:]
            elif not line:
                return topic, data

    def _listen(self):
        try:
            while True:
                topic, data = self._message()
                if not data:
                    return  # the server closed the stream
                event = json.loads(data)
                with self.changed:
                    self.heard.append((topic, event["action"], event["record"]["id"]))
                    self.changed.notify_all()
        except (OSError, ValueError, AttributeError):
            return  # the test ended and closed the stream

    def heard_all(self, wanted, seconds):
        """Waits until every wanted (topic, action, id) has come. Returns whether that happened in time."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not wanted <= set(self.heard):
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    return wanted <= set(self.heard)
        return True

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # a plain close would wait for the reader
        self.thread.join()
        self.connection.close()
