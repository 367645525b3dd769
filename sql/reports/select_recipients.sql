-- Where are the account managers' mails sent? One row per account manager and address.
select distinct
    trim(account_manager) as account_manager,
    trim(account_manager_email) as email
from customers
where trim(account_manager) != '' and trim(account_manager_email) != ''
order by account_manager, email
