-- Two senders may give their waybills one number on one day: the sender is a part of what two documents have in common.
-- What was kept before that has none; it is read once more from the inbox, where it lies for others.
ALTER TABLE waybills ADD COLUMN shipper text NOT NULL DEFAULT '';
ALTER TABLE waybills DROP CONSTRAINT waybills_pkey;
ALTER TABLE waybills ADD PRIMARY KEY (utm, shipper, number, day);
