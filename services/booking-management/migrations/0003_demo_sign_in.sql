-- The demonstration's own sign-in (AUTH_DEMO=on). A platform with a real one leaves these tables empty.

-- One key pair for all processes, made by the first that needs it. The private half lies in plain text: whoever may
-- ask for a demo token gets one anyway.
create table demo_signing_key (
  only_one boolean primary key default true check (only_one),
  private_jwk jsonb not null,
  public_jwk jsonb not null,
  created_at timestamptz not null default now()
);

create table demo_customers (
  id text primary key,
  name text,
  role text not null check (role in ('customer', 'operator')),
  -- The cookie by which a browser is the same customer after a page load, hashed.
  cookie_hash text not null unique,
  cookie_expires_at timestamptz not null,
  created_at timestamptz not null default now()
);
