-- A queue file of the time when files had no version: commit c3731df made it by its own calls, and Python's iterdump wrote
-- it, with the bodies as text. Three messages were never received, two are in flight, one was released, one was deleted,
-- and two are dead letters.
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dead_at REAL NOT NULL,
    receive_count INTEGER NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
INSERT INTO "dead_letters" VALUES(1,1.79542632522919964792e+09,3,'It was received 3 times and never deleted.',CAST('{"email_subject": "received too often", "email_sender": "sender@example.com", "email_timestream": "1693561100", "email_content": "It''s number 0."}' AS BLOB));
INSERT INTO "dead_letters" VALUES(2,1795426325.23062,1,'The body is not JSON.',CAST('{"email_subject": "bad", "email_sender": "sender@example.com", "email_timestream": "1693561101", "email_content": "It''s number 1."}' AS BLOB));
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    visible_at REAL NOT NULL DEFAULT 0,
    receive_count INTEGER NOT NULL DEFAULT 0,
    receipt INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL
) STRICT;
INSERT INTO "messages" VALUES(4,1.79542635523335456851e+09,2,3267789218888050107,CAST('{"email_subject": "received twice, in flight", "email_sender": "sender@example.com", "email_timestream": "1693561103", "email_content": "It''s number 3."}' AS BLOB));
INSERT INTO "messages" VALUES(5,1.79542635523429894447e+09,1,2680877073224594265,CAST('{"email_subject": "received once, in flight", "email_sender": "sender@example.com", "email_timestream": "1693561104", "email_content": "It''s number 4."}' AS BLOB));
INSERT INTO "messages" VALUES(6,1.79542632523625683782e+09,1,2014593085093553231,CAST('{"email_subject": "received once, released", "email_sender": "sender@example.com", "email_timestream": "1693561105", "email_content": "It''s number 5."}' AS BLOB));
INSERT INTO "messages" VALUES(7,0.0,0,0,CAST('{"email_subject": "never received", "email_sender": "sender@example.com", "email_timestream": "1693561106", "email_content": "It''s number 6."}' AS BLOB));
INSERT INTO "messages" VALUES(8,0.0,0,0,CAST('{"email_subject": "né 😀, never received", "email_sender": "sender@example.com", "email_timestream": "1693561107", "email_content": "It''s number 7."}' AS BLOB));
INSERT INTO "messages" VALUES(9,0.0,0,0,CAST('{"email_subject": "never received, the last", "email_sender": "sender@example.com", "email_timestream": "1693561108", "email_content": "It''s number 8."}' AS BLOB));
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO "probe" VALUES(1,2);
CREATE INDEX messages_by_visible_at ON messages (visible_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',9);
INSERT INTO "sqlite_sequence" VALUES('dead_letters',2);
COMMIT;
