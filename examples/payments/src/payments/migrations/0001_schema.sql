-- Identifiers sort by their bytes, which is their order of creation: hence COLLATE "C".
SET LOCAL lock_timeout = '5s';

CREATE TABLE users (
    id text COLLATE "C" PRIMARY KEY,
    email text NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('customer', 'merchant', 'support', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_key UNIQUE (email)
);

-- A customer's or merchant's account, or the service's own account for money that is authorized and not yet captured.
CREATE TABLE accounts (
    id text COLLATE "C" PRIMARY KEY,
    owner_id text COLLATE "C" REFERENCES users (id) ON DELETE RESTRICT,
    kind text NOT NULL CHECK (kind IN ('customer', 'merchant', 'holding')),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_name_key UNIQUE (owner_id, name),
    CONSTRAINT accounts_owned_key UNIQUE (id, owner_id, currency),
    CHECK ((kind = 'holding') = (owner_id IS NULL))
);
CREATE INDEX accounts_page ON accounts (owner_id, id);
CREATE UNIQUE INDEX accounts_one_for_each_currency ON accounts (coalesce(owner_id, ''), currency) WHERE kind <> 'customer';

CREATE TABLE payments (
    id text COLLATE "C" PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    merchant_id text COLLATE "C" NOT NULL,
    merchant_account_id text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    refunded_minor bigint NOT NULL DEFAULT 0,
    external_ref text NOT NULL,
    description text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'authorized', 'captured', 'refunded', 'failed')),
    failure_code text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payments_external_ref_key UNIQUE (merchant_id, external_ref),
    CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    -- Both accounts belong to who is said to own them, and hold the payment's currency.
    FOREIGN KEY (account_id, customer_id, currency) REFERENCES accounts (id, owner_id, currency) ON DELETE RESTRICT,
    FOREIGN KEY (merchant_account_id, merchant_id, currency)
        REFERENCES accounts (id, owner_id, currency) ON DELETE RESTRICT
);
CREATE INDEX payments_customer_page ON payments (customer_id, id);
CREATE INDEX payments_merchant_page ON payments (merchant_id, id);
CREATE INDEX payments_account ON payments (account_id, customer_id, currency);
CREATE INDEX payments_merchant_account ON payments (merchant_account_id, merchant_id, currency);
CREATE INDEX payments_created ON payments (created_at);

CREATE TABLE refunds (
    id text COLLATE "C" PRIMARY KEY,
    payment_id text COLLATE "C" NOT NULL REFERENCES payments (id) ON DELETE RESTRICT,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    reason text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_page ON refunds (payment_id, id);

-- The promise to carry out one operation at the provider once; it is also the idempotency record,
-- so that both are stored by the same commit, and its id is the provider's idempotency key.
CREATE TABLE intents (
    id text COLLATE "C" PRIMARY KEY,
    subject_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    idempotency_key text NOT NULL,
    fingerprint bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('authorize', 'capture', 'refund')),
    payment_id text COLLATE "C" NOT NULL REFERENCES payments (id) DEFERRABLE INITIALLY DEFERRED,
    refund_id text COLLATE "C" REFERENCES refunds (id) DEFERRABLE INITIALLY DEFERRED,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    reply_status smallint,
    reply_body text,
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CONSTRAINT intents_key UNIQUE (subject_id, idempotency_key)
);
CREATE INDEX intents_due ON intents (next_attempt_at) WHERE status = 'pending';
CREATE INDEX intents_payment ON intents (payment_id);
CREATE INDEX intents_refund ON intents (refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX intents_one_capture ON intents (payment_id) WHERE kind = 'capture' AND status <> 'failed';

-- Double entry: the entries of one posting sum to zero, which the trigger below enforces at commit.
CREATE TABLE postings (
    id text COLLATE "C" PRIMARY KEY,
    payment_id text COLLATE "C" NOT NULL REFERENCES payments (id) ON DELETE RESTRICT,
    intent_id text COLLATE "C" NOT NULL REFERENCES intents (id) ON DELETE RESTRICT,
    kind text NOT NULL CHECK (kind IN ('authorize', 'capture', 'release', 'refund')),
    currency text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT postings_once UNIQUE (intent_id)
);
CREATE INDEX postings_payment ON postings (payment_id);

CREATE TABLE entries (
    id text COLLATE "C" PRIMARY KEY,
    posting_id text COLLATE "C" NOT NULL REFERENCES postings (id) ON DELETE RESTRICT,
    account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0)
);
CREATE INDEX entries_posting ON entries (posting_id) INCLUDE (amount_minor);
CREATE INDEX entries_page ON entries (account_id, id) INCLUDE (amount_minor);

CREATE TABLE audit_events (
    id text COLLATE "C" PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor_id text NOT NULL,
    action text NOT NULL,
    object_id text NOT NULL,
    request_id text NOT NULL
);
CREATE INDEX audit_events_object ON audit_events (object_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION require_balanced_posting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount_minor) FROM entries WHERE posting_id = NEW.posting_id) <> 0
        OR EXISTS (
            SELECT 1 FROM accounts a JOIN postings p ON p.id = NEW.posting_id
            WHERE a.id = NEW.account_id AND a.currency <> p.currency
        )
    THEN
        RAISE EXCEPTION 'posting % is not balanced', NEW.posting_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER entries_balanced AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION require_balanced_posting();

CREATE FUNCTION require_legal_payment_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'authorized'), ('pending', 'failed'),
        ('authorized', 'captured'), ('authorized', 'failed'),
        ('captured', 'refunded')
    ) THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF (OLD.amount_minor, OLD.currency, OLD.account_id, OLD.merchant_account_id)
        IS DISTINCT FROM (NEW.amount_minor, NEW.currency, NEW.account_id, NEW.merchant_account_id)
    THEN
        RAISE EXCEPTION 'the terms of a payment do not change' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payments_legal_change BEFORE UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION require_legal_payment_change();

INSERT INTO accounts (id, kind, name, currency) VALUES
    ('acc_holding_eur', 'holding', 'Held for captures', 'EUR'),
    ('acc_holding_gbp', 'holding', 'Held for captures', 'GBP'),
    ('acc_holding_usd', 'holding', 'Held for captures', 'USD');
