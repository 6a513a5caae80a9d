-- What version 1 of the report log wrote: sent, refused, in doubt twice, died while sending, sent into a file.
BEGIN TRANSACTION;
CREATE TABLE message_reports (
    message_id TEXT NOT NULL REFERENCES messages (message_id),
    position INTEGER NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (message_id, position)
);
INSERT INTO "message_reports" VALUES('<ticketattr.4bf5122f344554c53bde2ebb8cd2b7e3@example.com>',0,'output/sent.xlsx','7afbb3347fb7252e533d58d99d72d9106fc6fdb3f30df23fa70b764c15ac42c5',4,'2026-11-23T00:00:00+00:00','20261101T000000Z-0001');
INSERT INTO "message_reports" VALUES('<ticketattr.dbc1b4c900ffe48d575b5da5c6380401@example.com>',0,'output/refused.xlsx','83c874d33e8bff73caaa762c79cd1ed101d727c7f20fe4972c67e67978292f23',7,'2026-11-23T00:00:00+00:00','20261102T000000Z-0002');
INSERT INTO "message_reports" VALUES('<ticketattr.084fed08b978af4d7d196a7446a86b58@example.com>',0,'output/doubt.xlsx','c6760e80e3327f820f2eb88a7451e21d4f7b35798ae2977dec98cd0d4a34c537',5,'2026-11-23T00:00:00+00:00','20261103T000000Z-0003');
INSERT INTO "message_reports" VALUES('<ticketattr.084fed08b978af4d7d196a7446a86b58@example.com>',1,'output/doubt too.xlsx','372c3bca936d400bc672dfe57fdaf6b34505db81565c3d821f16f2a4a3be8d79',9,'2026-11-23T00:00:00+00:00','');
INSERT INTO "message_reports" VALUES('<ticketattr.e52d9c508c502347344d8c07ad91cbd6@example.com>',0,'output/died.xlsx','5ddf61f4d52f255942217bf9578854a3ef26cb313ffcd1fa0c38f0e66f42cc8e',4,'2026-11-23T00:00:00+00:00','');
INSERT INTO "message_reports" VALUES('<ticketattr.e77b9a9ae9e30b0dbdb6f510a264ef9d@example.com>',0,'output/sent.xlsx','7afbb3347fb7252e533d58d99d72d9106fc6fdb3f30df23fa70b764c15ac42c5',4,'2026-11-23T00:00:00+00:00','20261101T000000Z-0001');
CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    date TEXT NOT NULL,
    transport TEXT NOT NULL CHECK (transport IN ('smtp', 'file')),
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'in_doubt')),
    detail TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL,
    changed TEXT NOT NULL
);
INSERT INTO "messages" VALUES('<ticketattr.4bf5122f344554c53bde2ebb8cd2b7e3@example.com>','2026-11-23T00:01:00+00:00','smtp','desk@example.com','["lead@example.com", "boss@example.com"]','Ticket attribution report','sent','250 2.0.0 queued',1,'2026-11-23T01:00:00+00:00');
INSERT INTO "messages" VALUES('<ticketattr.dbc1b4c900ffe48d575b5da5c6380401@example.com>','2026-11-23T00:02:00+00:00','smtp','desk@example.com','["lead@example.com"]','Ticket attribution report','failed','552 5.3.4 too large',1,'2026-11-23T03:00:00+00:00');
INSERT INTO "messages" VALUES('<ticketattr.084fed08b978af4d7d196a7446a86b58@example.com>','2026-11-23T00:03:00+00:00','smtp','desk@example.com','["lead@example.com"]','Ticket attribution report','in_doubt','broke off again',2,'2026-11-23T07:00:00+00:00');
INSERT INTO "messages" VALUES('<ticketattr.e52d9c508c502347344d8c07ad91cbd6@example.com>','2026-11-23T00:04:00+00:00','smtp','desk@example.com','["lead@example.com"]','Ticket attribution report','sending','',1,'2026-11-23T08:00:00+00:00');
INSERT INTO "messages" VALUES('<ticketattr.e77b9a9ae9e30b0dbdb6f510a264ef9d@example.com>','2026-11-23T00:05:00+00:00','file','desk@example.com','["lead@example.com"]','Ticket attribution report','sent','written to outbox/a.eml',1,'2026-11-23T10:00:00+00:00');
CREATE INDEX message_reports_sha256 ON message_reports (sha256);
COMMIT;
PRAGMA user_version = 1;
