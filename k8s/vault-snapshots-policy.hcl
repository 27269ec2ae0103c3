# What the nightly job that writes snapshots may do in Vault or OpenBao, and nothing else:
#
#   vault policy write pixpax-ledger-snapshots k8s/vault-snapshots-policy.hcl
#
# Replace transit/ when the engine is mounted elsewhere (VAULT_TRANSIT_MOUNT).

# Sign with the operator's key. Vault cannot tell a snapshot from a receipt: whoever has this role can sign as the operator.
path "transit/sign/pixpax-idn_operator-*" {
  capabilities = ["update"]
}

# Keep the token alive. Vault's default policy allows the same; a role may be without it.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
