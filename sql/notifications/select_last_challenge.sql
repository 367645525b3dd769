-- When did LinkedIn last challenge the webhook, as far as the warehouse knows? One row.
select max(challenged_at) as last_challenged_at
from webhook_challenges
