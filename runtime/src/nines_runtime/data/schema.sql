-- Tables for a service without a blueprint: what Keys, Outbox, Inbox, Audit, Ledger, Sagas and Jobs keep by the
-- statements of nines_runtime.data.statements. Take what you use.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('service.retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TABLE idempotency_keys (
    subject text NOT NULL CHECK (char_length(subject) <= 255),
    operation text NOT NULL CHECK (char_length(operation) <= 255),
    key text NOT NULL CHECK (char_length(key) <= 255),
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    resource_id text,
    status_code smallint,
    body bytea,
    locked_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (subject, operation, key),
    CHECK ((status_code IS NULL) = (body IS NULL))
);
CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);

CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    event text NOT NULL,
    event_version smallint NOT NULL,
    destination text NOT NULL CHECK (char_length(destination) <= 255),
    subject_id text NOT NULL CHECK (char_length(subject_id) <= 255),
    payload jsonb NOT NULL,
    trace_parent text CHECK (char_length(trace_parent) <= 255),
    is_dead boolean NOT NULL DEFAULT false,
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text CHECK (char_length(last_error) <= 500),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outbox_next_attempt_at_idx ON outbox (next_attempt_at) WHERE NOT is_dead;
-- For CLAIM_IN_ORDER.
CREATE INDEX outbox_subject_id_created_at_idx ON outbox (subject_id, created_at, id) WHERE NOT is_dead;

CREATE TABLE inbox (
    source text NOT NULL CHECK (char_length(source) <= 255),
    id text NOT NULL CHECK (char_length(id) <= 255),
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, id)
);
CREATE INDEX inbox_taken_at_idx ON inbox (taken_at);

-- What a Consumer could not take, for a person to look at.
CREATE TABLE dead_events (
    consumer text NOT NULL CHECK (char_length(consumer) <= 255),
    source text NOT NULL CHECK (char_length(source) <= 255),
    id text NOT NULL CHECK (char_length(id) <= 255),
    type text NOT NULL CHECK (char_length(type) <= 255),
    subject text NOT NULL CHECK (char_length(subject) <= 255),
    document bytea NOT NULL,
    reason text NOT NULL CHECK (char_length(reason) <= 500),
    attempts smallint NOT NULL,
    died_at timestamptz NOT NULL DEFAULT now(),
    -- Set it, and it is taken once more.
    again_at timestamptz
);
CREATE INDEX dead_events_died_at_idx ON dead_events (died_at);

CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    chain text NOT NULL CHECK (char_length(chain) <= 255),
    sequence bigint NOT NULL CHECK (sequence > 0),
    actor text NOT NULL CHECK (char_length(actor) <= 255),
    operation text NOT NULL CHECK (char_length(operation) <= 255),
    changes jsonb NOT NULL,
    request_id text NOT NULL CHECK (char_length(request_id) <= 255),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain, sequence)
);
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE entry_accounts (
    id uuid PRIMARY KEY,
    code text NOT NULL CHECK (char_length(code) <= 255),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (code, currency)
);

CREATE TABLE entry_postings (
    id uuid PRIMARY KEY,
    operation text NOT NULL CHECK (char_length(operation) <= 255),
    subject_id text NOT NULL CHECK (char_length(subject_id) <= 255),
    subject_version bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject_id, operation, subject_version)
);
CREATE TRIGGER entry_postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE entries (
    id uuid PRIMARY KEY,
    posting_id uuid NOT NULL REFERENCES entry_postings (id) ON DELETE RESTRICT,
    debit_account_id uuid NOT NULL REFERENCES entry_accounts (id) ON DELETE RESTRICT,
    credit_account_id uuid NOT NULL REFERENCES entry_accounts (id) ON DELETE RESTRICT,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (debit_account_id <> credit_account_id)
);
CREATE INDEX entries_posting_id_idx ON entries (posting_id);
CREATE INDEX entries_debit_account_id_idx ON entries (debit_account_id);
CREATE INDEX entries_credit_account_id_idx ON entries (credit_account_id);
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE sagas (
    id uuid PRIMARY KEY,
    operation text NOT NULL CHECK (char_length(operation) <= 255),
    subject_id text CHECK (char_length(subject_id) <= 255),
    step smallint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'running'
        CHECK (status IN ('running', 'compensating', 'finished', 'compensated', 'stuck')),
    state jsonb NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text CHECK (char_length(last_error) <= 500),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sagas_next_attempt_at_idx ON sagas (next_attempt_at) WHERE status IN ('running', 'compensating');

CREATE TABLE schedules (
    name text PRIMARY KEY CHECK (char_length(name) <= 255),
    due_at timestamptz NOT NULL DEFAULT now(),
    last_error text CHECK (char_length(last_error) <= 500)
);
