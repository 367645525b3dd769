-- What a notification's body or a check's record says of a job: the columns of `StatusFields` in models/notification.py.
-- Runs after create_stated_moment. (An arrow behind a macro's parameter would be a lambda.)
create or replace temp macro status_fields(payload) as struct_pack(
    listing_status := stated(payload, 'listingStatus'),
    listing_error_code := try_cast(stated(payload, 'listingStatusDetail.errorCode') as bigint),
    listing_error_type := stated(payload, 'listingStatusDetail.errorType'),
    listing_message := stated(payload, 'listingStatusDetail.statusMessage'),
    apply_status := stated(payload, 'linkedInApplyStatus'),
    apply_error_code := try_cast(stated(payload, 'linkedInApplyStatusDetail.errorCode') as bigint),
    apply_error_type := stated(payload, 'linkedInApplyStatusDetail.errorType'),
    apply_message := stated(payload, 'linkedInApplyStatusDetail.statusMessage'),
    promotion_status := stated(payload, 'promotionStatus'),
    promotion_error_code := try_cast(stated(payload, 'promotionStatusDetail.errorCode') as bigint),
    promotion_error_type := stated(payload, 'promotionStatusDetail.errorType'),
    promotion_message := stated(payload, 'promotionStatusDetail.statusMessage'),
    job_posting_url := stated(payload, 'jobPostingUrl'),
    company_name := list_any_value(
        json_extract_string(
            payload, [
                '$.companyDetails.companyName',
                '$.companyDetails.name',
                '$.jobPostingInfo.companyDetails.companyName',
                '$.jobPostingInfo.companyDetails.name'
            ]
        )
    ),
    location := stated(payload, 'location'),
    alternate_locations := nullif(
        array_to_string(
            json_extract_string(payload, '$.alternateLocations[*]')
            || json_extract_string(payload, '$.jobPostingInfo.alternateLocations[*]'), '; '
        ), ''
    ),
    listed_at := stated_moment(payload, 'listedAt'),
    expire_at := stated_moment(payload, 'expireAt')
)
