#!/usr/bin/env python3
"""Holds an installation of lyricd against its promises; shares no code with it.

  checker.py CONFIG [--unfinished]     prints one line for each broken promise; exit 0 where there is none, else 1

Reads inbox, archive, failed folder, outbox (manifests and every byte of the outputs), job store and work folder, and the
machine's processes. CONFIG names all folders. For a daemon that is idle or stopped; with --unfinished, jobs and drops may still
wait for their verdict, and what is being built may lie about; everything else holds.

P1 nothing lost · P2 nothing done twice · P3 nothing half · P4 source last · P5 always a verdict · P6 restart is free
"""
import hashlib
import json
import os
import sqlite3
import stat
import sys
import tomllib

ARROWS = {
    None: {"queued", "failed", "done", "instrumental"},
    "queued": {"running", "publishing", "done", "instrumental", "failed", "held", "cancelled", "superseded", "queued"},
    "running": {"queued", "publishing", "failed", "held", "cancelled", "superseded"},
    "publishing": {"done", "instrumental", "queued", "held"},
    "failed": {"queued", "superseded", "cancelled"},
    "held": {"queued", "superseded", "cancelled"},
    "cancelled": {"queued", "superseded", "cancelled"},
    "done": set(), "instrumental": set(), "superseded": set(),
}
OPEN = {"queued", "running", "publishing"}
PUBLISHED = {"done", "instrumental"}
NOTE = (b"lyricd could not finish this.", b"lyricd needs your help with this.")
problems = []


def broken(promise, text):
    problems.append(f"{promise}: {text}")


def shown(name):
    return repr(name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def walk(root):
    """Every file below, never through a link: relative paths as bytes."""
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            yield os.path.relpath(os.path.join(folder, name), os.fsencode(root))


def settings(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


class Store:
    def __init__(self, path):
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        self.db.row_factory = sqlite3.Row
        answer = self.db.execute("PRAGMA integrity_check").fetchall()
        if [tuple(row) for row in answer] != [("ok",)]:
            broken("store", f"integrity_check says {[tuple(row) for row in answer]}")
        if self.db.execute("PRAGMA foreign_key_check").fetchall():
            broken("store", "a foreign key leads nowhere")
        # A daemon that ended in its first second may have left a database without tables.
        self.is_made = self.db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'jobs'").fetchone()[0] == 1
        if not self.is_made:
            return
        self.jobs = {row["id"]: row for row in self.db.execute("SELECT * FROM jobs ORDER BY id")}
        self.drops = {row["id"]: row for row in self.db.execute("SELECT * FROM drops ORDER BY id")}

    def of_drop(self, drop):
        return [job for job in self.jobs.values() if job["drop_id"] == drop]


def check_history(store):
    """Each job's history is one chain of allowed arrows from nothing to where the job is; attempts agree with it."""
    state = {}
    for row in store.db.execute("SELECT * FROM transitions ORDER BY id"):
        job, before, after = row["job_id"], row["from_state"], row["to_state"]
        if job not in state and before is not None or job in state and state[job] != before:
            broken("history", f"job {job} went from {before} to {after}, but was {state.get(job)}")
        if after not in ARROWS.get(before, ()):
            broken("history", f"job {job} went from {before} to {after}: no such arrow")
        if not row["run"] or not row["why"]:
            broken("history", f"job {job}, {before} to {after}: no run or no reason")
        state[job] = after
    for job in store.jobs.values():
        if state.get(job["id"]) != job["state"]:
            broken("history", f"job {job['id']} is {job['state']}, its history ends with {state.get(job['id'])}")
        if job["state"] not in ("running", "publishing") and job["owner"] is not None:
            broken("history", f"job {job['id']} is {job['state']} and has an owner")
    for row in store.db.execute("SELECT * FROM attempts WHERE outcome = 'running'"):
        if store.jobs[row["job_id"]]["state"] not in ("running", "publishing"):
            broken("P6", f"an attempt at {row['stage']} of job {row['job_id']} never ended")


def check_outbox(store, root, unfinished):
    """P2 and P3."""
    folders = {}
    for folder, names, files in os.walk(os.fsencode(root)):
        path = os.path.relpath(folder, os.fsencode(root))
        for name in names + files:
            if name.startswith(b".") and not unfinished:
                broken("P3", f"{shown(name)} was left in the outbox")
        # What is being built has a dot in front, and is nobody's result.
        names[:] = [name for name in names if not name.startswith(b".")]
        if b"lyricd.json" not in files:
            if files:
                broken("P3", f"{shown(path)} in the outbox has files and no manifest")
            if path != b"." and not names and not files:
                broken("P3", f"{shown(path)} in the outbox is empty")
            continue
        names[:] = []
        with open(os.path.join(folder, b"lyricd.json"), "rb") as file:
            raw = file.read()
        manifest = json.loads(raw)
        listed = {entry["name"]: entry for entry in manifest["files"]}
        if set(listed) | {"lyricd.json"} != {os.fsdecode(name) for name in files}:
            broken("P3", f"{shown(path)}: the manifest lists {sorted(listed)}, there are {sorted(files)}")
        for name, entry in listed.items():
            file = os.path.join(folder, os.fsencode(name))
            if not os.path.exists(file):
                continue
            if os.path.getsize(file) != entry["bytes"] or sha256(file) != entry["sha256"]:
                broken("P3", f"{shown(path)}/{name} is not what the manifest says")
        if manifest["instrumental"] == bool(listed):
            broken("P3", f"{shown(path)}: instrumental is {manifest['instrumental']}, files are {sorted(listed)}")
        if manifest["key"] in folders:
            broken("P2", f"{shown(path)} and {shown(folders[manifest['key']][0])} are of one job")
        folders[manifest["key"]] = (path, hashlib.sha256(raw).hexdigest())
    keys = {job["key"]: job for job in store.jobs.values()}
    for key, (path, digest) in folders.items():
        job = keys.get(key)
        if job is None:
            broken("P2", f"{shown(path)} is of no known job")
        elif job["state"] not in PUBLISHED | ({"publishing"} if unfinished else set()):
            broken("P2", f"{shown(path)} is published, its job {job['id']} is {job['state']}")
        elif job["manifest_digest"] is not None and job["manifest_digest"] != digest:
            broken("P3", f"{shown(path)}: the manifest is not the one that was committed")
    for job in store.jobs.values():
        if job["state"] not in PUBLISHED:
            continue
        path = os.fsencode(os.path.join(job["outbox_folder"] or "", job["outbox_name"] or ""))
        place = folders.get(job["key"])
        while place is None and job["cached_from"]:
            job = store.jobs[job["cached_from"]]
            place = folders.get(job["key"])
        if place is None or place[0] != path:
            broken("P2", f"job {job['id']} is done, but there is no result of it at {shown(path)}")


def check_sources(store, folders, unfinished):
    """P1, P4 and P5 from the side of the files."""
    roots = {name: os.fsencode(folders[name]) for name in ("inbox", "archive", "failed")}
    digests = {name: {sha256(os.path.join(root, path)) for path in walk(folders[name])
                      if stat.S_ISREG(os.lstat(os.path.join(root, path)).st_mode)} for name, root in roots.items()}
    owned = set()
    for drop in store.drops.values():
        jobs = store.of_drop(drop["id"])
        states = {job["state"] for job in jobs}
        place = (os.path.join(drop["folder"], drop["name"]) if drop["folder"] else drop["name"]) if drop["name"] else b""
        what = f"drop {drop['id']} ({shown(place)}, {drop['disposal']})"
        if not jobs:
            broken("P5", f"{what} has no job")
        if drop["disposal"] in ("present", "disposing", "kept"):
            owned.add(place)
        if drop["digest"] and drop["disposal"] not in ("deleted", "gone"):
            if not any(drop["digest"] in there for there in digests.values()):
                broken("P1", f"the source of {what} is nowhere")
        if drop["disposal"] == "failed" and states == {"superseded"}:
            continue  # somebody dropped it again, by a copy or by moving it
        if drop["disposal"] in ("archived", "failed"):
            root = roots["archive" if drop["disposal"] == "archived" else "failed"]
            target = os.path.join(root, drop["disposed_to"] or b"?")
            if not os.path.lexists(target):
                broken("P1", f"{what} is not where it was put, {shown(target)}")
            elif drop["digest"] and os.path.isfile(target) and sha256(target) != drop["digest"]:
                broken("P1", f"{what}: another file lies at {shown(target)}")
        if drop["disposal"] in ("archived", "deleted") and not states <= PUBLISHED | {"superseded"}:
            broken("P4", f"{what} was put away, its jobs are {sorted(states)}")
        if drop["disposal"] == "failed":
            if not states & {"failed", "held", "cancelled"}:
                broken("P4", f"{what}: its jobs are {sorted(states)}")
            if not any(note.endswith(b".txt") for note in os.listdir(os.path.dirname(target))):
                broken("P5", f"{what} lies in the failed folder without a word")
        if drop["disposal"] in ("present", "disposing") and not unfinished and "held" not in states:
            broken("P5", f"{what} was not put away, its jobs are {sorted(states)}")
    for job in store.jobs.values():
        if job["state"] in OPEN and not unfinished:
            broken("P5", f"job {job['id']} ({job['title']}) is {job['state']} at {job['stage']}: {job['reason']}")
        if job["state"] in ("failed", "held", "cancelled") and not job["reason"]:
            broken("P5", f"job {job['id']} is {job['state']} without a reason")
        if job["state"] in ("failed", "held") and not job["failure"]:
            broken("P5", f"job {job['id']} is {job['state']} without a class")
    lyrics = {drop["lyrics_name"] for drop in store.drops.values()}
    for path in walk(folders["inbox"]):
        name = os.path.basename(path)
        if name.startswith(b".lyricd-"):
            broken("P3", f"{shown(path)} was left in the inbox")
        elif not unfinished and path not in owned and name not in lyrics and not name.startswith(b"."):
            broken("P5", f"{shown(path)} lies in the inbox, and no drop knows it")
    for name in ("archive", "failed"):
        for path in walk(folders[name]):
            if os.path.basename(path).startswith(b"."):
                broken("P3", f"{shown(path)} was left in {name}")
    for path in walk(folders["failed"]):
        full = os.path.join(roots["failed"], path)
        if path.endswith(b".txt") and os.path.isfile(full):
            with open(full, "rb") as file:
                text = file.read()
            if text.startswith(NOTE) and not text.partition(b"Why:")[2].strip():
                broken("P5", f"{shown(path)} gives no reason")


def check_work(store, state):
    keys = {job["key"]: job for job in store.jobs.values()}
    for name in os.listdir(state + "/work"):
        job = keys.get(name)
        if job is None:
            broken("P3", f"the work folder {name} is of no job")
        elif job["state"] not in OPEN | {"held"}:
            broken("P3", f"the work folder of job {job['id']} is left, the job is {job['state']}")
        elif job["state"] == "held":
            for left in os.listdir(os.path.join(state, "work", name)):
                if ".tmp" in left:
                    broken("P3", f"{left} is left in the work folder of job {job['id']}")


def check_processes(state):
    mark = f"LYRICD_OWNER={state}".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as file:
                broken("P6", f"process {name} was left behind: {file.read(200)!r}")
        except OSError:
            continue


def main():
    folders = settings(sys.argv[1])["folders"]
    unfinished = "--unfinished" in sys.argv[2:]
    store = Store(folders["state"] + "/jobs.db")
    if not store.is_made and unfinished:
        return 1 if problems else 0
    check_history(store)
    check_outbox(store, folders["outbox"], unfinished)
    check_sources(store, folders, unfinished)
    if not unfinished:
        check_work(store, folders["state"])
        check_processes(folders["state"])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
