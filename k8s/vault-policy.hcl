# What the ledger may do in Vault or OpenBao, and nothing else:
#
#   vault policy write pixpax-ledger k8s/vault-policy.hcl
#
# Replace transit/ when the engine is mounted elsewhere (VAULT_TRANSIT_MOUNT). A mount of its own is best: keys/+ below covers the
# names of all keys in it.

# Sign with keys of ours. Never export, never verify.
path "transit/sign/pixpax-*" {
  capabilities = ["update"]
}

# Make key pairs and read public keys. Vault wants "update" for making a key ("create" alone is refused).
# Not keys/pixpax-*: the star would also cover keys/…/config, …/rotate and …/trim, with which a version could be taken away.
# Only the type may be chosen: a key can neither be made exportable nor be backed up in plain text.
path "transit/keys/+" {
  capabilities       = ["update", "read"]
  allowed_parameters = {
    "type" = ["ecdsa-p256"]
  }
}

# Seal the seeds of drops until they are revealed, and open them. Nothing more than "update": who may "create" here makes keys of any type.
path "transit/encrypt/pixpax-seal" {
  capabilities = ["update"]
}

path "transit/decrypt/pixpax-seal" {
  capabilities = ["update"]
}

# Make the key that seals. Its own path: it takes the place of keys/+ for this name, and there only.
path "transit/keys/pixpax-seal" {
  capabilities       = ["update"]
  allowed_parameters = {
    "type" = ["aes256-gcm96"]
  }
}

# Keep the token alive. Vault's default policy allows the same; a role may be without it.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
