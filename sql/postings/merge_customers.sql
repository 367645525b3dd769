-- Bring the customers up to what applications.toml says; those it no longer names stay. Here, and only here, the account
-- manager is normalised: without surrounding blanks, null where there is none.
merge into customers
using (
    select
        * replace (
            nullif(trim(account_manager), '') as account_manager,
            nullif(trim(account_manager_email), '') as account_manager_email,
            coalesce(retired, false) as retired
        )
    from staged_customers
) as staged
    on customers.application_urn = staged.application_urn
when matched and (
    customers.customer is distinct from staged.customer
    or customers.account_manager is distinct from staged.account_manager
    or customers.account_manager_email is distinct from staged.account_manager_email
    or customers.daily_call_limit is distinct from staged.daily_call_limit
    or customers.retired is distinct from staged.retired
) then
    update
        set
            customer = staged.customer,
            account_manager = staged.account_manager,
            account_manager_email = staged.account_manager_email,
            daily_call_limit = staged.daily_call_limit,
            retired = staged.retired
when not matched then insert (
    application_urn,
    customer,
    account_manager,
    account_manager_email,
    daily_call_limit,
    retired
) values (
    staged.application_urn,
    staged.customer,
    staged.account_manager,
    staged.account_manager_email,
    staged.daily_call_limit,
    staged.retired
)
