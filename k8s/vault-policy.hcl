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

# Keep the token alive. Vault's default policy allows the same; a role may be without it.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
