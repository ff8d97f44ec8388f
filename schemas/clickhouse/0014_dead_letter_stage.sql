-- The webhook rejects records too: its dead letters stand in the same table.

ALTER TABLE dead_letters COMMENT COLUMN stage 'who rejected it: framer, detect, sink, replay or webhook';
