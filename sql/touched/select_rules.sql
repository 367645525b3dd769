-- By which rules were the findings derived that stand? One row; none where not all jobs were examined by the same rules yet.
select value
from warehouse_info
where name = 'rules'
