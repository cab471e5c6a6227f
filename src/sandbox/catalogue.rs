//! The faults there are, after reliability part 6: each is one thing that networks and servers really do.

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It takes effect, but no answer comes (F01).
    TimeoutAfterCommit,
    /// It does not take effect, and no answer comes (F01).
    TimeoutBefore,
    /// No answer comes, and it takes effect later (F02).
    LateArrival,
    /// The answer says yes at once, and it takes effect later (F02).
    EffectLater,
    /// It is taken on, and its outcome is asked for at another address (F02).
    AnsweredLater,
    /// The connection is closed before anything is done (F03).
    CloseBefore,
    /// The connection is closed after everything is done (F03).
    CloseAfter,
    /// The connection breaks in the middle of the answer (F04).
    CutBody,
    /// The answer is whole for HTTP, but only half of its JSON is there (F04).
    ShortBody,
    /// The answer is bytes without meaning (F04).
    RandomBytes,
    /// A page of a website instead of an answer; it took effect (F05).
    Html,
    /// 200 with nothing in it; it took effect (F05).
    Empty,
    /// An answer without the id of what was made (F05).
    NoId,
    /// An answer about another record (F05).
    OtherRecord,
    /// 429 (F06).
    TooMany,
    /// 503 before it takes effect (F06).
    Unavailable,
    /// 500 before it takes effect (F07).
    ErrorBefore,
    /// 500 after it took effect (F07).
    ErrorAfter,
    /// 502 of a gateway before it takes effect (F07).
    GatewayBefore,
    /// 502 of a gateway after it took effect (F07).
    GatewayAfter,
    /// 503 after it took effect (F07).
    UnavailableAfter,
    /// 504 of a gateway before it takes effect (F07).
    GatewayTimeoutBefore,
    /// 504 of a gateway after it took effect (F07).
    GatewayTimeoutAfter,
    /// The answer takes its time (F08).
    Slow,
    /// The answer comes a byte at a time (F08).
    Dribble,
    /// The token is not valid any more (F09).
    ExpiredToken,
    /// Not all scopes are granted that were asked for (F09).
    ScopeDropped,
    /// The page before comes again (F10).
    DuplicatePage,
    /// A page in the middle has no records (F10).
    EmptyPage,
    /// There is always one more page (F10).
    EndlessPages,
    /// The next page is this page (F10).
    TokenLoop,
    /// Pages get half as large (F10).
    ShrinkingPages,
    /// The next page is on another host (F10).
    ForeignLink,
    /// 412: somebody changed it meanwhile (F12).
    Changed,
    /// 409: it collides with something (F12).
    Conflict,
    /// 428: it must be said which version is meant (F12).
    PreconditionMissing,
    /// 400: it does not pass a rule of the system.
    Invalid,
    /// An action is answered with success, and its body says that it failed.
    ActionFailed,
    /// 403: this user may not do that (F-1).
    Forbidden,
    /// Nobody listens (F25).
    Refused,
}

/// What may be written after a fault's `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    None,
    /// The text of `Retry-After`; `date` for a time in a moment, `none` for no header.
    RetryAfter,
    /// A time.
    Pause,
    /// So many requests later, or so much time.
    Late,
}

impl Fault {
    /// What may be written after its `=`.
    pub(super) fn argument(self) -> Argument {
        match self {
            Fault::TooMany | Fault::Unavailable => Argument::RetryAfter,
            Fault::Slow => Argument::Pause,
            Fault::LateArrival | Fault::EffectLater | Fault::AnsweredLater => Argument::Late,
            _ => Argument::None,
        }
    }

    /// Whether the request takes effect all the same (if only later).
    pub fn takes_effect(self) -> bool {
        !matches!(
            self,
            Fault::TimeoutBefore
                | Fault::CloseBefore
                | Fault::Refused
                | Fault::TooMany
                | Fault::Unavailable
                | Fault::ErrorBefore
                | Fault::GatewayBefore
                | Fault::GatewayTimeoutBefore
                | Fault::ExpiredToken
                | Fault::Changed
                | Fault::Conflict
                | Fault::PreconditionMissing
                | Fault::Invalid
                | Fault::ActionFailed
                | Fault::Forbidden
        )
    }
}

/// Every fault with its name and one line.
pub const FAULTS: &[(&str, Fault, &str)] = &[
    ("timeout_after_commit", Fault::TimeoutAfterCommit, "it takes effect, but no answer comes (F01)"),
    ("timeout_before", Fault::TimeoutBefore, "it does not take effect, and no answer comes (F01)"),
    (
        "late_arrival",
        Fault::LateArrival,
        "no answer comes, and it takes effect later: =3 requests (as without a value) or =60s (F02)",
    ),
    (
        "effect_later",
        Fault::EffectLater,
        "202 at once, and it takes effect later: =3 requests (as without a value) or =60s (F02)",
    ),
    (
        "answered_later",
        Fault::AnsweredLater,
        "a create is taken on, where the system file says `accepted`; its outcome is there at the third question or after =N (F02)",
    ),
    ("close_before", Fault::CloseBefore, "the connection is closed before anything is done (F03)"),
    ("close_after", Fault::CloseAfter, "the connection is closed after everything is done (F03)"),
    ("cut_body", Fault::CutBody, "the connection breaks in the middle of the answer; it took effect (F04)"),
    ("short_body", Fault::ShortBody, "only half of the answer's JSON is there; it took effect (F04)"),
    ("random_bytes", Fault::RandomBytes, "the answer is bytes without meaning; it took effect (F04)"),
    ("html", Fault::Html, "a page of a website instead of an answer; it took effect (F05)"),
    ("empty", Fault::Empty, "200 with nothing in it; it took effect (F05)"),
    ("no_id", Fault::NoId, "the answer does not say the new record's id; it took effect (F05)"),
    ("other_record", Fault::OtherRecord, "the answer is about another record; it took effect (F05)"),
    ("too_many", Fault::TooMany, "429 with Retry-After: 1, or =TEXT, =date, =none (F06)"),
    ("unavailable", Fault::Unavailable, "503 with Retry-After: 1, or =TEXT, =date, =none (F06)"),
    ("error_before", Fault::ErrorBefore, "500 before it takes effect (F07)"),
    ("error_after", Fault::ErrorAfter, "500 after it took effect (F07)"),
    ("gateway_before", Fault::GatewayBefore, "502 before it takes effect (F07)"),
    ("gateway_after", Fault::GatewayAfter, "502 after it took effect (F07)"),
    ("unavailable_after", Fault::UnavailableAfter, "503 after it took effect (F07)"),
    ("gateway_timeout_before", Fault::GatewayTimeoutBefore, "504 before it takes effect (F07)"),
    ("gateway_timeout_after", Fault::GatewayTimeoutAfter, "504 after it took effect (F07)"),
    ("slow", Fault::Slow, "the answer takes 5s, or =TIME (F08)"),
    ("dribble", Fault::Dribble, "the answer comes a byte at a time (F08)"),
    ("expired_token", Fault::ExpiredToken, "the token is not valid any more (F09)"),
    ("scope_dropped", Fault::ScopeDropped, "the token call grants fewer scopes than were asked for (F09)"),
    ("duplicate_page", Fault::DuplicatePage, "the page before comes again (F10)"),
    ("empty_page", Fault::EmptyPage, "a page in the middle has no records (F10)"),
    ("endless_pages", Fault::EndlessPages, "there is always one more page (F10)"),
    ("token_loop", Fault::TokenLoop, "the next page is this page (F10)"),
    ("shrinking_pages", Fault::ShrinkingPages, "the page is half as large as was asked for (F10)"),
    ("foreign_link", Fault::ForeignLink, "the next page is on another host (F10)"),
    ("changed", Fault::Changed, "412: somebody changed it meanwhile (F12)"),
    ("conflict", Fault::Conflict, "409: it collides with something (F12)"),
    ("precondition_missing", Fault::PreconditionMissing, "428: the version must be named (F12)"),
    ("invalid", Fault::Invalid, "400: it does not pass a rule of the system"),
    (
        "action_failed",
        Fault::ActionFailed,
        "an action is answered with 200 that it failed, where the system file says `failed`",
    ),
    ("forbidden", Fault::Forbidden, "403: the user may not do that"),
    ("refused", Fault::Refused, "nobody listens (F25)"),
];
