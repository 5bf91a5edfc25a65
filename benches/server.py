"""Starts the server under measure and speaks to it over connections that stay open."""
import http.client
import json
import os
import subprocess
import urllib.parse


class Server:
    def __init__(self, programs, data, libraries, environment=None):
        self.program = os.path.join(programs, "tunelocker")
        self.environment = dict(os.environ, TUNELOCKER_DATA=data, TUNELOCKER_ADMIN_USER="bench",
                                TUNELOCKER_ADMIN_PASSWORD="bench bench bench", MALLOC_ARENA_MAX="2",
                                TUNELOCKER_LOG_LEVEL="warn", **(environment or {}))
        command = [self.program, "serve", "--listen", "127.0.0.1:0", "--lan-listen", "127.0.0.1:0",
                   "--lan-interface", "lo"]
        for name, path in libraries.items():
            command += ["--library", f"{name}={path}"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        ready = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.http = urllib.parse.urlsplit(ready["http"]).netloc
        self.lan = urllib.parse.urlsplit(ready["lan"]).netloc

    @property
    def pid(self):
        return self.process.pid

    def command(self, *arguments):
        done = subprocess.run([self.program, *arguments], env=self.environment, check=True,
                              stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def scan(self, *flags):
        return json.loads(self.command("scan", "--wait", "--json", *flags))

    def sign_in(self):
        self.secret = self.command("user", "app-password", "bench", "--label", "bench")

    def path(self, method, **parameters):
        parameters.update(u="bench", p=self.secret, v="1.16.1", c="bench", f="json")
        return f"/rest/{method}?{urllib.parse.urlencode(parameters)}"

    def ask(self, method, **parameters):
        """The body of one Subsonic answer."""
        connection = http.client.HTTPConnection(self.http)
        connection.request("GET", self.path(method, **parameters))
        answer = json.loads(connection.getresponse().read())["subsonic-response"]
        connection.close()
        if answer["status"] != "ok":
            raise SystemExit(f"{method}: {answer}")
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
