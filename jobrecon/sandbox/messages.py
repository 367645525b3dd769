"""LinkedIn's error messages and status details: whole texts around the documented constant parts.

`<job>`, `<place>`, `<operation>` and `<number>` are filled with the job's id, its location, the operation and an id of LinkedIn's.
"""

from typing import NamedTuple

DUPLICATE_CREATE = (
    "Trying to create a job with same partnerIdentifier already exists: partnerIdentifier=<job>, jobPosting=urn:li:jobPosting:<number>.",
    "Rejected duplicate creation request for externalJobPostingId <job>.",
    "com.linkedin.jobs.JobIngestionException: ErrorCode:2009, job <job> has been created before.",
)
DESCRIPTION_TOO_SHORT = "Job description is too short: description length should be at least 100 characters."
DESCRIPTION_INVALID = (
    "Job <job> has an invalid job description. Please ensure a job description is present and between 100 - 25,000 characters"
    " and post the job again."
)
INVALID_APPLY_URL = "Invalid Field: /companyApplyUrl: value is not a valid URL."
INVALID_EXPIRATION = "Invalid ExpirationDate: the expiration date of job <job> is not within the allowed range."
NON_EXISTING_JOB = "<operation> operation is not allowed for a non-existing job. externalJobPostingId: <job>"

INVALID_CONTENT: tuple[tuple[float, str], ...] = (
    (3, "This job could not be published because there is a {:duplicateJobPostingUrl,anchor,text#duplicate job} on LinkedIn."),
    (4, DESCRIPTION_TOO_SHORT),
    (3, DESCRIPTION_INVALID),
    (2, "[JOB_FIELD_PROCESSOR_COMPANY] Company urn:li:company:<number> could not be resolved."),
    (1, "[JOB_FIELD_PROCESSOR_COMPANY_APPLY_URL] companyApplyUrl of job <job> does not answer."),
    (2, "[JOB_FIELD_PROCESSOR_COMPANY_NAME] The name of the company could not be standardized."),
    (1, "[JOB_FIELD_PROCESSOR_COUNTRY_CODE] No country code could be derived from '<place>'."),
    (2, "[JOB_FIELD_PROCESSOR_DESCRIPTION] The description could not be processed."),
    (1, "[JOB_FIELD_PROCESSOR_EXPERIENCE] Experience level is not one of the known ones."),
    (2, "[JOB_FIELD_PROCESSOR_GEO_LOCATION] No geo location was found for '<place>'."),
    (1, "[JOB_FIELD_PROCESSOR_JOB_CATEGORY] Job functions of job <job> are not valid."),
    (1, "[JOB_FIELD_PROCESSOR_JOB_TYPE] Employment status is not one of the known ones."),
    (1, "[JOB_FIELD_PROCESSOR_ORIGINAL_JOB_CODE] The original job code is not valid."),
    (1, "[JOB_FIELD_PROCESSOR_SOURCE_DOMAIN] The source domain is not valid."),
    (1, "[JOB_FIELD_PROCESSOR_SOURCE_JOB_CODE] The source job code of <job> is not valid."),
    (1, "[JOB_FIELD_PROCESSOR_SOURCE_URL] The source URL is not valid."),
    (2, "[JOB_FIELD_PROCESSOR_STANDARDIZED_LOCATION] '<place>' could not be standardized."),
    (2, "[JOB_FIELD_PROCESSOR_TITLE] The title could not be standardized."),
    (4, "We could not standardize your job's location '<place>'. Give city, state and country."),
    (3, "Job <job> has an invalid location: '<place>'."),
    (3, "The job location cannot be standardized: '<place>'."),
    (2, "Job <job> is missing location data."),
    (2, "Job <job> has an invalid Job URL."),
    (1, "Job <job> has too many associated job functions; at most 3 are allowed."),
    (1, "[MISSING_INDUSTRY_CODES] Industry codes are required."),
    (1, "[MISSING_JOB_CAMPAIGN] A job campaign is required for promoted jobs."),
    (1, "Job <job> has an invalid job campaign <number>."),
    (1, "[MISSING_SOURCE_DOMAIN] The source domain is required."),
    (3, "Job <job> is missing a connection to a LinkedIn company page."),
    (2, "The company page this job is linked to has blocked the posting of jobs by third parties."),
    (1, "The job was not published due to employer not opted in."),
    (1, "The job was not published due to job source not opted in."),
    (1, "The job was not published: global block on job exports."),
    (1, "The job was deliberately marked as ignored by a field processor."),
    (1, "The job's countryCode was not in the country list of this feed."),
    (2, "The job was flagged by the jobs trust team as a low quality job."),
    (1, "The job was closed because our systems determine to be spam."),
    (1, "The job was not published: poster specifically asking to not publish it."),
    (1, "The job was manually taken down."),
    (1, "The job was closed by original poster."),
    (1, "This job's budget has ran out."),
    (1, "There is no job budget available for this contract."),
    (1, "The account level budget has ran out."),
    (1, "The affordable offer has reach end."),
    (1, "The job's duration limit has been reach."),
    (1, "The free trial budget has ran out."),
    (1, "The job was closed because of a post payment failure."),
    (1, "The job was suspended due to trust related restrictions."),
    (2, INVALID_APPLY_URL),
    (2, "Invalid Field: /geoLocation: '<place>' is not a valid place."),
)
"""Why a CREATE or UPDATE fails, or a PROCESSED payload is invalid, with weights."""

OPERATION_FAILED: tuple[tuple[float, str], ...] = (
    (3, "An unexpected error that occurred during job ingestion. Request <number>."),
    (2, "The <operation> of job <job> was dropped due to validation error."),
)
"""Why any operation can fail, with weights."""


class Detail(NamedTuple):
    """The content of a `…Detail` of a notification."""

    code: int | None
    type: str | None
    message: str

    def as_json(self) -> dict[str, object]:
        return {"errorCode": self.code, "errorType": self.type, "statusMessage": self.message}


CUSTOMER, PARTNER, LINKEDIN = "CUSTOMER_ERROR", "PARTNER_ERROR", "LINKEDIN_ERROR"

TAKEN_DOWN: tuple[tuple[float, Detail], ...] = (
    (4, Detail(None, CUSTOMER, "INVALID_LOCATION: The job location cannot be standardized. Add details such as country or postal code.")),
    (1, Detail(None, CUSTOMER, "MISSING_LOCATION: The job has no location.")),
    (1, Detail(None, CUSTOMER, "BLOCKED_COUNTRY: Jobs in this country cannot be shown on LinkedIn.")),
    (3, Detail(None, CUSTOMER, "MEMBER_REPORTED: Members reported that this job is no longer accepting applications.")),
    (1, Detail(None, CUSTOMER, "CUSTOMER_EXCLUDED: The job is excluded by a rule of the customer. Contact LinkedIn Support.")),
    (1, Detail(None, CUSTOMER, "ERROR_JOB_DESCRIPTION_TOO_LONG: The description is longer than 25,000 characters.")),
)
NOT_MIGRATED = Detail(None, PARTNER, "PENDING_CUSTOMER_MIGRATION: The customer is not yet moved to API posting. Contact LinkedIn Support.")

APPLY_BEING_ENABLED = Detail(1156, None, "IN_PROGRESS: Apply Connect is being enabled. Look again in 5 minutes.")
APPLY_NOT_REQUESTED = Detail(None, PARTNER, "No attempt to enable LinkedInApply was found for this job.")
_ENABLING = "ENABLING_APPLY_CONNECT_BY_PARTNER_FAILED:"
APPLY_FAILED: tuple[tuple[float, Detail], ...] = (
    (2, Detail(1100, PARTNER, f"{_ENABLING} A question definition needs exactly one question detail.")),
    (1, Detail(1101, PARTNER, f"{_ENABLING} A prerequisite question depends on another prerequisite question.")),
    (1, Detail(1102, PARTNER, f"{_ENABLING} A prerequisite question is not in the same customQuestions set.")),
    (1, Detail(1103, PARTNER, f"{_ENABLING} A repeatable question has a prerequisite.")),
    (2, Detail(1151, PARTNER, f"{_ENABLING} The questions could not be transformed.")),
    (2, Detail(1153, PARTNER, f"{_ENABLING} jobApplicationWebhookUrl could not be registered.")),
    (1, Detail(1127, LINKEDIN, f"{_ENABLING} Something went wrong. We will try again.")),
)
APPLY_LOST: tuple[tuple[float, Detail], ...] = (
    (3, Detail(1154, PARTNER, "BLOCKED_WEBHOOK: The application delivery webhook was not reachable.")),
    (3, Detail(1155, PARTNER, "LOW_APPLICATION_DELIVERY: Too many applications could not be delivered.")),
    (1, Detail(1157, CUSTOMER, "FREE_APPLICATION_LIMIT_REACHED: Promote the job to receive more applications.")),
)

PROMOTED = Detail(None, None, "LI_CUSTOMER_PROMOTED: The job is promoted through the customer's Recruiter contract.")
NOT_PROMOTED: tuple[tuple[float, Detail], ...] = (
    (2, Detail(None, CUSTOMER, "LI_CUSTOMER_BASIC: The job is posted as a basic job. Promote it in Recruiter.")),
    (1, Detail(None, CUSTOMER, "ATS_CUSTOMER_BASIC: The customer has no LinkedIn contract. The job is posted as a basic job.")),
)

COMPANIES = ("Acme", "Acme", "Acme Logistics", "Acme Energy", "Köln Logistik GmbH", "Møller & Sønner", "株式会社アクメ")
PLACES = ("Oslo, Norway", "Köln, Nordrhein-Westfalen, Germany", "Austin, Texas, United States", "São Paulo, Brazil", "Lyon, France")


def fill(text: str, *, job: str, place: str | None, number: int, operation: str) -> str:
    """`text` with its placeholders filled in."""
    text = text.replace("<operation>", operation).replace("<number>", str(number))
    return text.replace("<place>", place or "").replace("<job>", job)
