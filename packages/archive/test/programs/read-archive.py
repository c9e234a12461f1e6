"""Prints what Python's own modules find in an archive, as JSON; argv: kind, file."""

import calendar
import hashlib
import json
import sys
import tarfile
import zipfile

kind, file = sys.argv[1:]
found = []
if kind == "zip":
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            found.append(
                {
                    "path": info.filename,
                    "mode": (info.external_attr >> 16) & 0o7777,
                    "modified": calendar.timegm((*info.date_time, 0, 0, 0)),
                    "sha256": hashlib.sha256(archive.read(info)).hexdigest(),
                }
            )
else:
    with tarfile.open(file, "r:gz" if kind == "tar.gz" else "r:") as archive:
        for info in archive:
            assert info.isreg()
            assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "", "")
            found.append(
                {
                    "path": info.name,
                    "mode": info.mode,
                    "modified": info.mtime,
                    "sha256": hashlib.sha256(archive.extractfile(info).read()).hexdigest(),
                }
            )
json.dump(found, sys.stdout)
