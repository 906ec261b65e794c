import GRDB

/// The tables, as migrations in order. A migration is never edited after a release; a new one is added.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 jobs") { db in
            try db.execute(sql: """
                CREATE TABLE drops (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    kind TEXT NOT NULL,
                    folder BLOB NOT NULL,
                    name BLOB NOT NULL,
                    profile TEXT NOT NULL,
                    device INTEGER NOT NULL,
                    inode INTEGER NOT NULL,
                    size INTEGER NOT NULL,
                    modified_ns INTEGER NOT NULL,
                    changed_ns INTEGER NOT NULL,
                    digest TEXT NOT NULL,
                    lyrics_name BLOB,
                    disposal TEXT NOT NULL,
                    disposed_to BLOB,
                    due INTEGER NOT NULL DEFAULT 0,
                    received_at REAL NOT NULL
                );
                CREATE INDEX drops_in_inbox ON drops (folder, name) WHERE disposal IN ('present', 'disposing', 'kept');
                CREATE INDEX drops_due ON drops (id) WHERE due = 1;
                CREATE INDEX drops_failed ON drops (digest) WHERE disposal = 'failed';
                CREATE INDEX drops_archived ON drops (folder, id) WHERE disposal = 'archived';

                CREATE TABLE jobs (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    key TEXT NOT NULL UNIQUE,
                    drop_id INTEGER NOT NULL REFERENCES drops (id),
                    position INTEGER NOT NULL,
                    title TEXT NOT NULL,
                    url TEXT,
                    content_key TEXT NOT NULL,
                    lyrics_digest TEXT,
                    plan TEXT NOT NULL,
                    plan_key TEXT NOT NULL,
                    state TEXT NOT NULL,
                    stage TEXT NOT NULL,
                    lane TEXT NOT NULL,
                    turn INTEGER NOT NULL,
                    attempts INTEGER NOT NULL DEFAULT 0,
                    crashes INTEGER NOT NULL DEFAULT 0,
                    not_before REAL NOT NULL DEFAULT 0,
                    owner TEXT,
                    failure TEXT,
                    reason TEXT NOT NULL DEFAULT '',
                    next_step TEXT NOT NULL DEFAULT '',
                    outbox_folder TEXT NOT NULL,
                    outbox_name TEXT,
                    outbox_key TEXT,
                    manifest_digest TEXT,
                    facts TEXT NOT NULL DEFAULT '{}',
                    cached_from INTEGER,
                    created_at REAL NOT NULL,
                    updated_at REAL NOT NULL
                );
                CREATE INDEX jobs_of_drop ON jobs (drop_id, position);
                CREATE INDEX jobs_waiting ON jobs (lane, turn, id) WHERE state = 'queued';
                CREATE INDEX jobs_delayed ON jobs (not_before) WHERE state = 'queued' AND not_before > 0;
                CREATE INDEX jobs_by_content ON jobs (content_key, plan_key, id);
                CREATE INDEX jobs_by_state ON jobs (state, id);
                CREATE UNIQUE INDEX jobs_reserved ON jobs (outbox_key) WHERE state = 'publishing';

                CREATE TABLE attempts (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    job_id INTEGER NOT NULL REFERENCES jobs (id),
                    stage TEXT NOT NULL,
                    engine TEXT NOT NULL,
                    engine_version TEXT,
                    started_at REAL NOT NULL,
                    seconds REAL,
                    exit_status INTEGER,
                    peak_memory INTEGER,
                    outcome TEXT NOT NULL,
                    failure TEXT,
                    message TEXT NOT NULL DEFAULT '',
                    stderr_tail TEXT NOT NULL DEFAULT '',
                    run TEXT NOT NULL
                );
                CREATE INDEX attempts_of_job ON attempts (job_id, id);

                CREATE TABLE artifacts (
                    job_id INTEGER NOT NULL REFERENCES jobs (id),
                    stage TEXT NOT NULL,
                    path TEXT NOT NULL,
                    sha256 TEXT NOT NULL,
                    bytes INTEGER NOT NULL,
                    PRIMARY KEY (job_id, stage, path)
                ) WITHOUT ROWID;

                CREATE TABLE transitions (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    job_id INTEGER NOT NULL REFERENCES jobs (id),
                    from_state TEXT,
                    to_state TEXT NOT NULL,
                    stage TEXT NOT NULL,
                    why TEXT NOT NULL,
                    at REAL NOT NULL,
                    run TEXT NOT NULL
                );
                CREATE INDEX transitions_of_job ON transitions (job_id, id);
                -- The history is only ever added to; a mistake in the code must not be able to rewrite it.
                CREATE TRIGGER transitions_are_final BEFORE UPDATE ON transitions
                    BEGIN SELECT RAISE(ABORT, 'the history is only ever added to'); END;
                CREATE TRIGGER transitions_stay BEFORE DELETE ON transitions
                    BEGIN SELECT RAISE(ABORT, 'the history is only ever added to'); END;
                CREATE TRIGGER transitions_are_whole BEFORE INSERT ON transitions
                    WHEN NEW.from_state IS NOT (SELECT to_state FROM transitions WHERE job_id = NEW.job_id ORDER BY id DESC LIMIT 1)
                    BEGIN SELECT RAISE(ABORT, 'an arrow begins where the one before it ended'); END;

                CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                """)
        }
        return migrator
    }

    /// Every migration this program knows; a database that has seen others is newer than the program.
    static var known: Set<String> { Set(migrator.migrations) }
}
