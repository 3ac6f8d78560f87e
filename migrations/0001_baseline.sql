-- The whole schema of 0.1.0. Foreign keys never cascade. States are checked here and moved only
-- through each context's `states.py`. Times and ids are given by the application.

CREATE TABLE outbox (
    id BIGSERIAL PRIMARY KEY,
    topic TEXT NOT NULL,
    key TEXT UNIQUE NOT NULL,
    payload JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    done_at TIMESTAMPTZ,
    error TEXT
);

CREATE TABLE account (
    id UUID PRIMARY KEY,
    email TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    company TEXT NOT NULL DEFAULT '',
    country TEXT NOT NULL DEFAULT '',
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    disabled_at TIMESTAMPTZ,
    CONSTRAINT email_is_lower CHECK (email = lower(email)),
    CONSTRAINT known_role CHECK (role IN ('client', 'operator', 'designer', 'finance', 'owner'))
);

CREATE TABLE sign_in_attempt (
    id UUID PRIMARY KEY,
    subject TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL
);

CREATE TABLE category (
    id UUID PRIMARY KEY,
    slug TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE os_image (
    id UUID PRIMARY KEY,
    code TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    family TEXT NOT NULL,
    release TEXT NOT NULL,
    kernel_url TEXT NOT NULL,
    initrd_url TEXT NOT NULL,
    mirror_url TEXT NOT NULL,
    image_url TEXT NOT NULL DEFAULT '',
    is_enabled BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT known_family CHECK (family IN ('debian', 'ubuntu', 'almalinux'))
);

CREATE TABLE datacentre (
    id UUID PRIMARY KEY,
    code TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    city TEXT NOT NULL DEFAULT '',
    country TEXT NOT NULL DEFAULT ''
);

CREATE TABLE cpu_model (
    id UUID PRIMARY KEY,
    name TEXT UNIQUE NOT NULL,
    cores SMALLINT NOT NULL DEFAULT 0,
    threads SMALLINT NOT NULL DEFAULT 0,
    base_mhz INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE gateway_event (
    id UUID PRIMARY KEY,
    gateway TEXT NOT NULL,
    event_id TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT gateway_event_once UNIQUE ("gateway", "event_id")
);

CREATE TABLE tax_rate (
    id UUID PRIMARY KEY,
    country TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    rate_bp INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT sane CHECK (rate_bp BETWEEN 0 AND 10000)
);

CREATE TABLE address_claim (
    id BIGSERIAL PRIMARY KEY,
    kind TEXT NOT NULL,
    scope UUID NOT NULL DEFAULT gen_random_uuid(),
    position BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    holder UUID,
    item TEXT NOT NULL DEFAULT '',
    purpose TEXT NOT NULL DEFAULT '',
    seq BIGINT NOT NULL DEFAULT 0,
    expires_at TIMESTAMPTZ,
    claimed_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT address_claim_one_owner UNIQUE ("kind", "scope", "position"),
    CONSTRAINT address_claim_one_answer UNIQUE ("holder", "item"),
    CONSTRAINT known_kind CHECK (kind IN ('ip4', 'ip6net', 'vlan')),
    CONSTRAINT known_state CHECK (state IN ('held', 'assigned', 'reserved', 'quarantined')),
    CONSTRAINT owned CHECK (state NOT IN ('held', 'assigned') OR holder IS NOT NULL)
);

CREATE TABLE mail_template (
    id UUID PRIMARY KEY,
    code TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_html TEXT NOT NULL DEFAULT '',
    body_text TEXT NOT NULL DEFAULT '',
    updated_at TIMESTAMPTZ NOT NULL,
    updated_by UUID
);

CREATE TABLE audit_entry (
    id UUID PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor UUID,
    actor_label TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject UUID,
    before JSONB NOT NULL DEFAULT '{}',
    after JSONB NOT NULL DEFAULT '{}',
    reason TEXT NOT NULL DEFAULT ''
);

CREATE TABLE flow (
    id UUID PRIMARY KEY,
    slug TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    is_enabled BOOLEAN NOT NULL DEFAULT true,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE run_signal (
    id BIGSERIAL PRIMARY KEY,
    signal_key TEXT NOT NULL,
    payload JSONB NOT NULL DEFAULT '{}',
    at TIMESTAMPTZ NOT NULL,
    consumed_at TIMESTAMPTZ
);

CREATE TABLE session (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    token_hash BYTEA UNIQUE NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT ''
);

CREATE TABLE ssh_key (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    name TEXT NOT NULL,
    public_key TEXT NOT NULL DEFAULT '',
    fingerprint TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT ssh_key_once_per_account UNIQUE ("account", "fingerprint")
);

CREATE TABLE mail (
    id UUID PRIMARY KEY,
    mail_key TEXT UNIQUE NOT NULL,
    code TEXT NOT NULL,
    account UUID REFERENCES account ON DELETE RESTRICT,
    "order" UUID,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    sealed_html BYTEA NOT NULL DEFAULT '',
    sealed_text BYTEA NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    CONSTRAINT known_state CHECK (state IN ('queued', 'sent', 'refused'))
);

CREATE TABLE product (
    id UUID PRIMARY KEY,
    category UUID NOT NULL REFERENCES category ON DELETE RESTRICT,
    slug TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    summary TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    specs JSONB NOT NULL DEFAULT '[]',
    server_rules JSONB NOT NULL DEFAULT '{}',
    address_rules JSONB NOT NULL DEFAULT '{}',
    is_visible BOOLEAN NOT NULL DEFAULT true,
    position INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE rack (
    id UUID PRIMARY KEY,
    datacentre UUID NOT NULL REFERENCES datacentre ON DELETE RESTRICT,
    name TEXT NOT NULL,
    u_height SMALLINT NOT NULL DEFAULT 42,
    power_budget_watts INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT rack_once UNIQUE ("datacentre", "name")
);

CREATE TABLE cpu_equivalence (
    id UUID PRIMARY KEY,
    "group" TEXT NOT NULL,
    wanted UUID NOT NULL REFERENCES cpu_model ON DELETE RESTRICT,
    stand_in UUID NOT NULL REFERENCES cpu_model ON DELETE RESTRICT,
    cost INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT cpu_equivalence_once UNIQUE ("wanted", "stand_in"),
    CONSTRAINT not_itself CHECK (wanted <> stand_in)
);

CREATE TABLE flow_version (
    id UUID PRIMARY KEY,
    flow UUID NOT NULL REFERENCES flow ON DELETE RESTRICT,
    number INTEGER NOT NULL DEFAULT 0,
    document JSONB NOT NULL DEFAULT '{}',
    content_hash TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    published_at TIMESTAMPTZ NOT NULL,
    published_by UUID,
    CONSTRAINT flow_version_once UNIQUE ("flow", "number")
);

CREATE TABLE flow_binding (
    id UUID PRIMARY KEY,
    category UUID NOT NULL REFERENCES category ON DELETE RESTRICT,
    trigger TEXT NOT NULL,
    flow UUID NOT NULL REFERENCES flow ON DELETE RESTRICT,
    CONSTRAINT flow_binding_once UNIQUE ("category", "trigger")
);

CREATE TABLE option_group (
    id UUID PRIMARY KEY,
    product UUID NOT NULL REFERENCES product ON DELETE RESTRICT,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    help TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL,
    is_required BOOLEAN NOT NULL DEFAULT false,
    minimum INTEGER NOT NULL DEFAULT 0,
    maximum INTEGER NOT NULL DEFAULT 1,
    position INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT option_group_once UNIQUE ("product", "code"),
    CONSTRAINT known_kind CHECK (kind IN ('choice', 'quantity', 'ssh_keys'))
);

CREATE TABLE product_price (
    id UUID PRIMARY KEY,
    product UUID NOT NULL REFERENCES product ON DELETE RESTRICT,
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    recurring_minor BIGINT NOT NULL DEFAULT 0,
    setup_minor BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT product_price_once UNIQUE ("product", "currency", "cycle"),
    CONSTRAINT known_cycle CHECK (cycle IN ('monthly', 'quarterly', 'yearly')),
    CONSTRAINT not_negative CHECK (recurring_minor >= 0 AND setup_minor >= 0)
);

CREATE TABLE client_order (
    id UUID PRIMARY KEY,
    number BIGSERIAL UNIQUE NOT NULL,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    product UUID NOT NULL REFERENCES product ON DELETE RESTRICT,
    state TEXT NOT NULL,
    state_since TIMESTAMPTZ NOT NULL,
    state_reason TEXT NOT NULL DEFAULT '',
    hostname TEXT NOT NULL,
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    total_minor BIGINT NOT NULL DEFAULT 0,
    recurring_minor BIGINT NOT NULL DEFAULT 0,
    selection JSONB NOT NULL DEFAULT '{}',
    idempotency_key TEXT UNIQUE NOT NULL,
    placed_at TIMESTAMPTZ NOT NULL,
    hold_expires_at TIMESTAMPTZ,
    paid_at TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ,
    run UUID,
    CONSTRAINT known_state CHECK (state IN ('cart', 'held', 'awaiting_payment', 'paid', 'provisioning', 'delivered', 'failed', 'cancelled'))
);

CREATE TABLE server (
    id UUID PRIMARY KEY,
    name TEXT UNIQUE NOT NULL,
    serial TEXT UNIQUE NOT NULL,
    rack UUID NOT NULL REFERENCES rack ON DELETE RESTRICT,
    u_position SMALLINT NOT NULL DEFAULT 0,
    u_height SMALLINT NOT NULL DEFAULT 1,
    cpu_model UUID NOT NULL REFERENCES cpu_model ON DELETE RESTRICT,
    cpu_count SMALLINT NOT NULL DEFAULT 1,
    ram_gb INTEGER NOT NULL DEFAULT 0,
    raid_controller BOOLEAN NOT NULL DEFAULT false,
    power_draw_watts INTEGER NOT NULL DEFAULT 0,
    mac TEXT UNIQUE NOT NULL,
    state TEXT NOT NULL,
    state_since TIMESTAMPTZ NOT NULL,
    state_reason TEXT NOT NULL DEFAULT '',
    holder UUID,
    hold_expires_at TIMESTAMPTZ,
    seq BIGINT NOT NULL DEFAULT 0,
    power TEXT NOT NULL DEFAULT 'unknown',
    power_seen_at TIMESTAMPTZ,
    CONSTRAINT server_u_once UNIQUE ("rack", "u_position"),
    CONSTRAINT known_state CHECK (state IN ('enrolled', 'inspecting', 'available', 'held', 'provisioning', 'active', 'releasing', 'cleaning', 'failed', 'quarantined', 'maintenance')),
    CONSTRAINT known_power CHECK (power IN ('on', 'off', 'unknown')),
    CONSTRAINT free_has_no_holder CHECK (state <> 'available' OR holder IS NULL),
    CONSTRAINT taken_has_holder CHECK (state NOT IN ('held', 'provisioning', 'active', 'releasing') OR holder IS NOT NULL),
    CONSTRAINT only_holds_expire CHECK (hold_expires_at IS NULL OR state = 'held')
);

CREATE TABLE prefix (
    id UUID PRIMARY KEY,
    network CIDR UNIQUE NOT NULL,
    datacentre UUID NOT NULL REFERENCES datacentre ON DELETE RESTRICT,
    rack UUID REFERENCES rack ON DELETE RESTRICT,
    gateway INET,
    purpose TEXT NOT NULL DEFAULT 'primary',
    auto_allocatable BOOLEAN NOT NULL DEFAULT true,
    strategy TEXT NOT NULL DEFAULT 'sequential',
    cooldown_s INTEGER NOT NULL DEFAULT 3600,
    note TEXT NOT NULL DEFAULT '',
    CONSTRAINT known_strategy CHECK (strategy IN ('sequential', 'random')),
    CONSTRAINT gateway_inside CHECK (gateway IS NULL OR gateway << network)
);

CREATE TABLE vlan_group (
    id UUID PRIMARY KEY,
    name TEXT UNIQUE NOT NULL,
    datacentre UUID NOT NULL REFERENCES datacentre ON DELETE RESTRICT,
    rack UUID REFERENCES rack ON DELETE RESTRICT,
    first_vid INTEGER NOT NULL DEFAULT 100,
    last_vid INTEGER NOT NULL DEFAULT 3999,
    auto_allocatable BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT vids CHECK (first_vid >= 1 AND last_vid <= 4094 AND first_vid <= last_vid)
);

CREATE TABLE run (
    id UUID PRIMARY KEY,
    flow_version UUID NOT NULL REFERENCES flow_version ON DELETE RESTRICT,
    status TEXT NOT NULL,
    dedup_key TEXT UNIQUE NOT NULL,
    subject UUID,
    input JSONB NOT NULL DEFAULT '{}',
    wake_at TIMESTAMPTZ,
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until TIMESTAMPTZ,
    epoch BIGINT NOT NULL DEFAULT 0,
    cancel_requested BOOLEAN NOT NULL DEFAULT false,
    parent UUID,
    error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    CONSTRAINT known_status CHECK (status IN ('queued', 'running', 'waiting', 'halted', 'compensating', 'succeeded', 'failed', 'cancelled'))
);

CREATE TABLE option (
    id UUID PRIMARY KEY,
    option_group UUID NOT NULL REFERENCES option_group ON DELETE RESTRICT,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    help TEXT NOT NULL DEFAULT '',
    post_install TEXT NOT NULL DEFAULT '',
    access_url TEXT NOT NULL DEFAULT '',
    position INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT option_once UNIQUE ("option_group", "code")
);

CREATE TABLE invoice (
    id UUID PRIMARY KEY,
    number BIGSERIAL UNIQUE NOT NULL,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    "order" UUID UNIQUE REFERENCES client_order ON DELETE RESTRICT,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    subtotal_minor BIGINT NOT NULL DEFAULT 0,
    tax_minor BIGINT NOT NULL DEFAULT 0,
    total_minor BIGINT NOT NULL DEFAULT 0,
    paid_minor BIGINT NOT NULL DEFAULT 0,
    issued_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    paid_at TIMESTAMPTZ,
    CONSTRAINT known_state CHECK (state IN ('open', 'paid', 'void', 'refunded')),
    CONSTRAINT adds_up CHECK (total_minor = subtotal_minor + tax_minor)
);

CREATE TABLE bmc (
    id UUID PRIMARY KEY,
    server UUID UNIQUE NOT NULL REFERENCES server ON DELETE RESTRICT,
    protocol TEXT NOT NULL DEFAULT 'redfish',
    url TEXT NOT NULL,
    username TEXT NOT NULL,
    sealed_password BYTEA NOT NULL DEFAULT '',
    system_path TEXT NOT NULL DEFAULT '',
    tls_mode TEXT NOT NULL DEFAULT 'ca',
    ca_pem TEXT NOT NULL DEFAULT '',
    boot_method TEXT NOT NULL DEFAULT 'network',
    CONSTRAINT known_boot CHECK (boot_method IN ('network', 'virtual-media')),
    CONSTRAINT known_tls CHECK (tls_mode IN ('ca', 'pin', 'off'))
);

CREATE TABLE disk (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES server ON DELETE RESTRICT,
    kind TEXT NOT NULL,
    capacity_gb INTEGER NOT NULL DEFAULT 0,
    quantity SMALLINT NOT NULL DEFAULT 0,
    CONSTRAINT known_kind CHECK (kind IN ('nvme', 'ssd', 'hdd'))
);

CREATE TABLE service (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    "order" UUID UNIQUE NOT NULL REFERENCES client_order ON DELETE RESTRICT,
    product UUID NOT NULL REFERENCES product ON DELETE RESTRICT,
    server UUID REFERENCES server ON DELETE RESTRICT,
    hostname TEXT NOT NULL,
    os_code TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    state_since TIMESTAMPTZ NOT NULL,
    cycle TEXT NOT NULL,
    currency TEXT NOT NULL,
    recurring_minor BIGINT NOT NULL DEFAULT 0,
    next_due_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    activated_at TIMESTAMPTZ,
    CONSTRAINT known_state CHECK (state IN ('pending', 'provisioning', 'active', 'suspended', 'terminated'))
);

CREATE TABLE run_event (
    seq BIGSERIAL PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    at TIMESTAMPTZ NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL DEFAULT '/',
    node TEXT NOT NULL DEFAULT '',
    facts JSONB NOT NULL DEFAULT '{}'
);

CREATE TABLE step_attempt (
    id BIGSERIAL PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    scope TEXT NOT NULL DEFAULT '/',
    node TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    input JSONB NOT NULL DEFAULT '{}',
    output JSONB,
    port TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT step_attempt_once UNIQUE ("run", "scope", "node", "attempt"),
    CONSTRAINT known_status CHECK (status IN ('started', 'waiting', 'succeeded', 'failed', 'ambiguous', 'compensated'))
);

CREATE TABLE token (
    id BIGSERIAL PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    scope TEXT NOT NULL DEFAULT '/',
    node TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    wake_at TIMESTAMPTZ,
    signal_key TEXT NOT NULL DEFAULT '',
    memo JSONB NOT NULL DEFAULT '{}',
    CONSTRAINT token_once UNIQUE ("run", "scope", "node"),
    CONSTRAINT known_state CHECK (state IN ('ready', 'started', 'waiting', 'inside', 'halted'))
);

CREATE TABLE option_price (
    id UUID PRIMARY KEY,
    option UUID NOT NULL REFERENCES option ON DELETE RESTRICT,
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    recurring_minor BIGINT NOT NULL DEFAULT 0,
    setup_minor BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT option_price_once UNIQUE ("option", "currency", "cycle"),
    CONSTRAINT known_cycle CHECK (cycle IN ('monthly', 'quarterly', 'yearly'))
);

CREATE TABLE credit_entry (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL DEFAULT 0,
    reason TEXT NOT NULL,
    entry_key TEXT UNIQUE NOT NULL,
    invoice UUID REFERENCES invoice ON DELETE RESTRICT,
    at TIMESTAMPTZ NOT NULL
);

CREATE TABLE invoice_line (
    id UUID PRIMARY KEY,
    invoice UUID NOT NULL REFERENCES invoice ON DELETE RESTRICT,
    position SMALLINT NOT NULL DEFAULT 0,
    description TEXT NOT NULL,
    quantity INTEGER NOT NULL DEFAULT 0,
    unit_minor BIGINT NOT NULL DEFAULT 0,
    amount_minor BIGINT NOT NULL DEFAULT 0,
    tax_rate_bp INTEGER NOT NULL DEFAULT 0,
    tax_minor BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT invoice_line_once UNIQUE ("invoice", "position"),
    CONSTRAINT multiplies CHECK (amount_minor = unit_minor * quantity)
);

CREATE TABLE payment (
    id UUID PRIMARY KEY,
    invoice UUID NOT NULL REFERENCES invoice ON DELETE RESTRICT,
    gateway TEXT NOT NULL,
    gateway_ref TEXT NOT NULL,
    state TEXT NOT NULL,
    amount_minor BIGINT NOT NULL DEFAULT 0,
    currency TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    settled_at TIMESTAMPTZ,
    note TEXT NOT NULL DEFAULT '',
    CONSTRAINT payment_once UNIQUE ("gateway", "gateway_ref"),
    CONSTRAINT known_state CHECK (state IN ('pending', 'succeeded', 'failed', 'canceled', 'refunded'))
);

CREATE TABLE credential (
    id UUID PRIMARY KEY,
    service UUID NOT NULL REFERENCES service ON DELETE RESTRICT,
    kind TEXT NOT NULL,
    username TEXT NOT NULL,
    sealed_secret BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    revealed_at TIMESTAMPTZ,
    CONSTRAINT credential_once UNIQUE ("service", "kind"),
    CONSTRAINT known_kind CHECK (kind IN ('root_password', 'ssh_keys'))
);

CREATE TABLE installation (
    id UUID PRIMARY KEY,
    service UUID NOT NULL REFERENCES service ON DELETE RESTRICT,
    server UUID NOT NULL REFERENCES server ON DELETE RESTRICT,
    step_key TEXT UNIQUE NOT NULL,
    token_hash BYTEA UNIQUE NOT NULL DEFAULT '',
    sealed_spec BYTEA NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    stage TEXT NOT NULL DEFAULT '',
    percent SMALLINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    log JSONB NOT NULL DEFAULT '[]',
    CONSTRAINT known_state CHECK (state IN ('prepared', 'booted', 'installing', 'installed', 'failed', 'abandoned'))
);

CREATE INDEX account_role ON "account" ("role");
CREATE INDEX sign_in_attempt_subject ON "sign_in_attempt" ("subject");
CREATE INDEX sign_in_attempt_at ON "sign_in_attempt" ("at");
CREATE INDEX address_claim_expires_at ON "address_claim" ("expires_at");
CREATE INDEX audit_entry_at ON "audit_entry" ("at");
CREATE INDEX audit_entry_actor ON "audit_entry" ("actor");
CREATE INDEX audit_entry_action ON "audit_entry" ("action");
CREATE INDEX audit_entry_subject ON "audit_entry" ("subject");
CREATE INDEX run_signal_signal_key ON "run_signal" ("signal_key");
CREATE INDEX session_account ON "session" ("account");
CREATE INDEX session_expires_at ON "session" ("expires_at");
CREATE INDEX ssh_key_account ON "ssh_key" ("account");
CREATE INDEX mail_account ON "mail" ("account");
CREATE INDEX mail_order ON "mail" ("order");
CREATE INDEX mail_state ON "mail" ("state");
CREATE INDEX product_category ON "product" ("category");
CREATE INDEX rack_datacentre ON "rack" ("datacentre");
CREATE INDEX cpu_equivalence_group ON "cpu_equivalence" ("group");
CREATE INDEX cpu_equivalence_wanted ON "cpu_equivalence" ("wanted");
CREATE INDEX cpu_equivalence_stand_in ON "cpu_equivalence" ("stand_in");
CREATE INDEX flow_version_flow ON "flow_version" ("flow");
CREATE INDEX flow_binding_category ON "flow_binding" ("category");
CREATE INDEX flow_binding_flow ON "flow_binding" ("flow");
CREATE INDEX option_group_product ON "option_group" ("product");
CREATE INDEX product_price_product ON "product_price" ("product");
CREATE INDEX client_order_account ON "client_order" ("account");
CREATE INDEX client_order_product ON "client_order" ("product");
CREATE INDEX client_order_state ON "client_order" ("state");
CREATE INDEX server_rack ON "server" ("rack");
CREATE INDEX server_cpu_model ON "server" ("cpu_model");
CREATE INDEX server_state ON "server" ("state");
CREATE INDEX server_holder ON "server" ("holder");
CREATE INDEX prefix_datacentre ON "prefix" ("datacentre");
CREATE INDEX prefix_rack ON "prefix" ("rack");
CREATE INDEX prefix_purpose ON "prefix" ("purpose");
CREATE INDEX vlan_group_datacentre ON "vlan_group" ("datacentre");
CREATE INDEX vlan_group_rack ON "vlan_group" ("rack");
CREATE INDEX run_flow_version ON "run" ("flow_version");
CREATE INDEX run_status ON "run" ("status");
CREATE INDEX run_subject ON "run" ("subject");
CREATE INDEX option_option_group ON "option" ("option_group");
CREATE INDEX invoice_account ON "invoice" ("account");
CREATE INDEX invoice_state ON "invoice" ("state");
CREATE INDEX disk_server ON "disk" ("server");
CREATE INDEX service_account ON "service" ("account");
CREATE INDEX service_product ON "service" ("product");
CREATE INDEX service_server ON "service" ("server");
CREATE INDEX service_state ON "service" ("state");
CREATE INDEX run_event_run ON "run_event" ("run");
CREATE INDEX step_attempt_run ON "step_attempt" ("run");
CREATE INDEX token_signal_key ON "token" ("signal_key");
CREATE INDEX token_run ON "token" ("run");
CREATE INDEX option_price_option ON "option_price" ("option");
CREATE INDEX credit_entry_account ON "credit_entry" ("account");
CREATE INDEX credit_entry_invoice ON "credit_entry" ("invoice");
CREATE INDEX invoice_line_invoice ON "invoice_line" ("invoice");
CREATE INDEX payment_invoice ON "payment" ("invoice");
CREATE INDEX payment_state ON "payment" ("state");
CREATE INDEX credential_service ON "credential" ("service");
CREATE INDEX installation_service ON "installation" ("service");
CREATE INDEX installation_server ON "installation" ("server");
CREATE INDEX installation_state ON "installation" ("state");

-- Partial indexes, which a table class cannot express: they serve the sweeps and the claims.
CREATE INDEX ix_outbox_due ON outbox (due_at, id) WHERE done_at IS NULL;
CREATE INDEX ix_run_due ON run (wake_at) WHERE status IN ('queued', 'running', 'waiting', 'compensating');
CREATE INDEX ix_run_signal_open ON run_signal (signal_key) WHERE consumed_at IS NULL;
CREATE INDEX ix_server_available ON server (id) WHERE state = 'available';
CREATE INDEX ix_server_hold_expiry ON server (hold_expires_at) WHERE hold_expires_at IS NOT NULL;
CREATE INDEX ix_order_delivered ON client_order (delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX ix_order_hold_expiry ON client_order (hold_expires_at) WHERE hold_expires_at IS NOT NULL;
CREATE INDEX ix_mail_queued ON mail (created_at) WHERE state = 'queued';
CREATE INDEX ix_payment_pending ON payment (created_at) WHERE state = 'pending';
