-- Fails with the transfers whose movements do not sum to zero in a currency.
select "transferId", currency, sum(minor) as off
from {{ ref('stg_transfer_money') }}
group by all
having sum(minor) <> 0
