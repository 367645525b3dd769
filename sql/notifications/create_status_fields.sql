-- What a notification's body or a check's record says of a job: the columns of `StatusFields` in models/notification.py. Each
-- field is taken from the top level or from jobPostingInfo, whichever has it; a time before 1970 or after the year 9999 is none:
-- one body that makes no sense must not stop the others. (An arrow behind a macro's parameter would be a lambda.)
create or replace temp macro status_fields(payload) as struct_pack(
    listing_status := list_any_value(
        json_extract_string(
            payload, ['$.listingStatus', '$.jobPostingInfo.listingStatus']
        )
    ),
    listing_error_code := try_cast(
        list_any_value(
            json_extract_string(
                payload, ['$.listingStatusDetail.errorCode', '$.jobPostingInfo.listingStatusDetail.errorCode']
            )
        ) as bigint
    ),
    listing_error_type := list_any_value(
        json_extract_string(
            payload, ['$.listingStatusDetail.errorType', '$.jobPostingInfo.listingStatusDetail.errorType']
        )
    ),
    listing_message := list_any_value(
        json_extract_string(
            payload, ['$.listingStatusDetail.statusMessage', '$.jobPostingInfo.listingStatusDetail.statusMessage']
        )
    ),
    apply_status := list_any_value(
        json_extract_string(
            payload, ['$.linkedInApplyStatus', '$.jobPostingInfo.linkedInApplyStatus']
        )
    ),
    apply_error_code := try_cast(
        list_any_value(
            json_extract_string(
                payload, ['$.linkedInApplyStatusDetail.errorCode', '$.jobPostingInfo.linkedInApplyStatusDetail.errorCode']
            )
        ) as bigint
    ),
    apply_error_type := list_any_value(
        json_extract_string(
            payload, ['$.linkedInApplyStatusDetail.errorType', '$.jobPostingInfo.linkedInApplyStatusDetail.errorType']
        )
    ),
    apply_message := list_any_value(
        json_extract_string(
            payload, ['$.linkedInApplyStatusDetail.statusMessage', '$.jobPostingInfo.linkedInApplyStatusDetail.statusMessage']
        )
    ),
    promotion_status := list_any_value(
        json_extract_string(
            payload, ['$.promotionStatus', '$.jobPostingInfo.promotionStatus']
        )
    ),
    promotion_error_code := try_cast(
        list_any_value(
            json_extract_string(
                payload, ['$.promotionStatusDetail.errorCode', '$.jobPostingInfo.promotionStatusDetail.errorCode']
            )
        ) as bigint
    ),
    promotion_error_type := list_any_value(
        json_extract_string(
            payload, ['$.promotionStatusDetail.errorType', '$.jobPostingInfo.promotionStatusDetail.errorType']
        )
    ),
    promotion_message := list_any_value(
        json_extract_string(
            payload, ['$.promotionStatusDetail.statusMessage', '$.jobPostingInfo.promotionStatusDetail.statusMessage']
        )
    ),
    job_posting_url := list_any_value(
        json_extract_string(
            payload, ['$.jobPostingUrl', '$.jobPostingInfo.jobPostingUrl']
        )
    ),
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
    location := list_any_value(
        json_extract_string(
            payload, ['$.location', '$.jobPostingInfo.location']
        )
    ),
    alternate_locations := nullif(
        array_to_string(
            json_extract_string(payload, '$.alternateLocations[*]')
            || json_extract_string(payload, '$.jobPostingInfo.alternateLocations[*]'), '; '
        ), ''
    ),
    listed_at := list_transform(
        list_filter(
            [
                try_cast(
                    list_any_value(json_extract_string(payload, ['$.listedAt', '$.jobPostingInfo.listedAt'])) as bigint
                )
            ],
            lambda milliseconds: milliseconds between 0 and 253402300799999
        ),
        lambda milliseconds: to_timestamp(milliseconds / 1000)
    )[1],
    expire_at := list_transform(
        list_filter(
            [
                try_cast(
                    list_any_value(json_extract_string(payload, ['$.expireAt', '$.jobPostingInfo.expireAt'])) as bigint
                )
            ],
            lambda milliseconds: milliseconds between 0 and 253402300799999
        ),
        lambda milliseconds: to_timestamp(milliseconds / 1000)
    )[1]
)
