-- Fails with the transfers that are missing from `transfers`, or in it without rows.
select "transferId" from {{ ref('stg_transfer_lifecycle') }}
except
select "transferId" from {{ ref('transfers') }}
