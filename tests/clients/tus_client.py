"""Uploads a file with tuspy: in pieces, and broken off and taken up again.

usage: tus_client.py URL APP_PASSWORD FILE
"""
import sys

from tusclient import client

url, secret, path = sys.argv[1:]
tus = client.TusClient(url, headers={"Authorization": f"Bearer {secret}"})

whole = tus.uploader(path, chunk_size=1_000_000, metadata={"path": "py/whole.bin"})
whole.upload()
assert whole.offset == whole.get_file_size()

first = tus.uploader(path, chunk_size=1_000_000, metadata={"path": "py/resumed.bin"}, upload_checksum=True)
first.upload(stop_at=3_000_000)
assert first.offset == 3_000_000, first.offset
second = tus.uploader(path, chunk_size=2_000_000, url=first.url, upload_checksum=True)
assert second.offset == 3_000_000, second.offset
second.upload()
print("tuspy: done")
