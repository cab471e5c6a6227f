//! Every code of every message, in one place, which makes it long: `mapengine explain CODE` tells more.
//!
//! ME01 YAML and shape · ME02 names and paths · ME03 kinds and values · ME04 expressions · ME05 registers,
//! documents and rows · ME06 systems and calls · ME07 settings, checks, connections · ME08 cases · ME09 records at run time.

/// A kind of message.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `ME0102`; never given to another meaning.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// More, with a wrong and a right example where that helps.
    pub explain: &'static str,
}

/// The code with this id.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $explain:literal;)*) => {
        $(
            #[doc = $title]
            pub static $name: Code = Code { id: $id, title: $title, explain: $explain };
        )*
        /// All codes, in order.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    SYNTAX = "ME0101", "this is not YAML",
        "The file cannot be read as YAML: an indentation, a colon or a quote is wrong.\n\
\n\
Wrong:\n\
\x20   fields:\n\
\x20   - { crm: name, erp: name\n\
Right:\n\
\x20   fields:\n\
\x20   - { crm: name, erp: name }";
    UNKNOWN_KEY = "ME0102", "unknown key",
        "A key is not one of those that may stand here. Unknown keys are errors, so that a misspelt one is not silently ignored.\n\
\n\
Wrong:\n\
\x20   regisers: {}\n\
Right:\n\
\x20   registers: {}";
    MISSING_KEY = "ME0103", "a key is missing",
        "Something that must be said here is not.\n\
\n\
Wrong:\n\
\x20   settings: { costs: { type: bool } }\n\
Right:\n\
\x20   settings: { costs: { type: bool, help: \"Bring costs in\" } }";
    WRONG_TYPE = "ME0104", "wrong kind of value",
        "A list, a map, a text or a number stands where another kind is wanted.\n\
\n\
Wrong:\n\
\x20   match: code\n\
Right:\n\
\x20   match: [ code ]";
    DUPLICATE_KEY = "ME0105", "a key stands twice",
        "A map has the same key twice; which of the two counts would depend on the reader.\n\
\n\
Wrong:\n\
\x20   a: 1\n\
\x20   a: 2\n\
Right:\n\
\x20   a: 2";
    MERGE_KEY = "ME0106", "merge keys are not used",
        "YAML's `<<` is refused: readers disagree about it. Share rows with `tables:`, parts of a system file with `defaults:`, `objects:` and `like:`.";
    AMBIGUOUS = "ME0107", "a word that other readers take for true or false",
        "Only `true` and `false` are booleans here. Older YAML readers (and some editors) read `NO`, `on`, `yes`, `y` as booleans, too: the country code NO becomes false there.\n\
\n\
Wrong:\n\
\x20   country: NO\n\
Right:\n\
\x20   country: \"NO\"";
    TOO_LARGE = "ME0108", "too large",
        "A file may have 1 MiB, 50,000 values (aliases written out) and be nested 64 deep. More is a mistake, or an attack.";
    TAG = "ME0109", "tags are not used",
        "YAML tags (`!x`) are refused: the type of a value follows from where it stands.";
    TWO_DOCUMENTS = "ME0110", "two documents in one file",
        "A file holds one mapping, one system, one set of cases or one connection. `---` in the middle begins a second one.";
    EMPTY_FILE = "ME0111", "the file is empty",
        "There is nothing in this file but comments.";
    TEXT_WANTED = "ME0112", "text is wanted",
        "Codes and amounts are text. Without quotes YAML reads 10 as a number and true as a boolean, and 0.10 might lose its last digit in other tools.\n\
\n\
Wrong:\n\
\x20   { erp: taskId, constant: 10 }\n\
Right:\n\
\x20   { erp: taskId, constant: \"10\" }";
    UNKNOWN_WORD = "ME0113", "unknown word",
        "One of a few words is wanted here, and this is none of them.\n\
\n\
Wrong:\n\
\x20   apply: create-only\n\
Right:\n\
\x20   apply: create_only";
    CANNOT_READ = "ME0114", "the file cannot be read",
        "The file is not there, may not be read, or is not UTF-8 text.";
    UNKNOWN_FILE = "ME0115", "not a file of mapengine",
        "A mapping begins with `mapping:`, a system file with `system:`, cases with `cases:`, a connection with `connection:`, a sandbox file with `sandbox:`.";
    TWO_SYSTEMS = "ME0116", "a mapping has two systems",
        "`systems:` names exactly two sides, the left one first.\n\
\n\
Right:\n\
\x20   systems: { crm: systems/crm.yaml, erp: systems/erp.yaml }";
    TOO_MANY = "ME0117", "more findings than are shown",
        "After a thousand errors or warnings the rest is only counted: they mostly follow from the first ones. Put those right and look again.";
    NO_API = "ME0118", "no description of an API",
        "`mapengine new system` reads an OpenAPI document, version 2.0 (Swagger), 3.0 or 3.1, as JSON or YAML. It must describe paths whose answers are JSON records with a key.";
    UNKNOWN_FIELD = "ME0201", "unknown field",
        "A path names a field that the resource does not have. Fields are declared in the system file; only declared ones can be used.\n\
\n\
Wrong:\n\
\x20   { crm: nmae, erp: name }\n\
Right:\n\
\x20   { crm: name, erp: name }";
    BAD_PATH = "ME0202", "this is not a path",
        "A path is names with dots, positions and quoted names in brackets: `mainAddress.city`, `codes[0]`, `dimension['CUSTOMER'].length`.";
    UNKNOWN_RESOURCE = "ME0203", "unknown resource",
        "The system file has no resource of this name.";
    UNKNOWN_SIDE = "ME0204", "unknown side or word",
        "A row or register holds words of the language and the two sides by the names of `systems:`. This is neither.\n\
\n\
Wrong:\n\
\x20   { crm: name, erpp: name }\n\
Right:\n\
\x20   { crm: name, erp: name }";
    SIDE_IS_A_WORD = "ME0205", "a side has the name of a word",
        "A side may not be called like a word of the language: `{ value: x, erp: y }` could mean two things.";
    UNKNOWN_REGISTER = "ME0206", "unknown register",
        "`ref`, `part_of` and checks name a register of the same mapping.";
    MANY_VALUES = "ME0207", "this path names many values",
        "A row carries one value. `lines[*].price` names one for each line; `lines[0].price` names one.";
    UNKNOWN_TABLE = "ME0208", "unknown table",
        "`fields: NAME` in a row uses a field table that is declared under `tables:`.";
    BAD_NAME = "ME0209", "not a name",
        r#"This name cannot be used where it has to be written: in expressions, in mappings, in
paths. Resources, object types and systems are named with letters, digits and `_`; fields
with names, dots and `[]`.

Wrong:
    resources: { sales-order: … }
    fields: { "lines[0].code": text }
Right:
    resources: { sales_order: … }
    fields: { firstCode: { type: text, path: "lines[0].code" } }"#;
    WRONG_KIND = "ME0301", "the two do not fit",
        "Both ends of a row must hold the same kind of value, or the row must say how one becomes the other.\n\
\n\
Wrong:\n\
\x20   { crm: number, erp: number }                       # integer and text\n\
Right:\n\
\x20   { crm: number, erp: number, convert: integer }";
    NEVER_THIS_VALUE = "ME0302", "the field never has this value",
        "The field is a choice, and this value is not one of them; or the field has no room for it.";
    NO_REFERENCE = "ME0303", "this is no reference",
        "`ref:` translates keys of records through links. Both fields must be declared as references in their system files (`ref: customer`), to a resource of that register.";
    CODE_TWICE = "ME0304", "a code stands twice",
        "In a code table one right code can mean one left code only: else the way back is not clear.";
    CODES_LEFT_OUT = "ME0305", "codes are left out",
        "The field can have values that the code table does not mention. A record with such a value is set aside, naming the code; or say `unlisted: leave`.";
    UNKNOWN_TYPE = "ME0306", "unknown type",
        r#"The types are text, integer, decimal, bool, date, time, id, choice, object and list, and
the object types that the file declares under `objects`. Every field needs one.

Wrong:
    name: string
Right:
    name: text"#;
    VALUE_TYPE = "ME0307", "a value that does not fit its field",
        r#"A constant does not have the type of the field it is for. Amounts are written as text,
so that no digit is lost; dates as 2026-12-31.

Wrong:
    isActive: { type: bool, on_create: "yes" }
Right:
    isActive: { type: bool, on_create: true }"#;
    WORD_OF_OTHER_TYPE = "ME0308", "a word of another type",
        r#"A word was given to a field that means nothing for its type: `of` belongs to a choice,
`max` to text and numbers, `places` to decimals, `unit` to numbers, `lines` to text, `key`
to lists, `fields` to objects and lists.

Wrong:
    name: { type: text, places: 2 }
Right:
    price: { type: decimal, places: 2 }"#;
    CHOICE_WITHOUT_VALUES = "ME0309", "a choice without its values",
        r#"A choice lists the values that the system accepts, each once. Where they are not known,
the field is a text.

Wrong:
    status: choice
Right:
    status: { type: choice, of: [Active, Inactive] }"#;
    BAD_EXPRESSION = "ME0401", "this expression is wrong",
        "Expressions are MiniJinja expressions over declared fields; everything in them is checked before a run. Operators do not work on amounts, because they would go through binary floats: use `is less_than('10.00')`, `| plus(x)`, `| round(2)`.";
    NO_RECORDS = "ME0501", "a side has no records",
        "A register says for both sides which resource it is about.\n\
\n\
Right:\n\
\x20   customers:\n\
\x20     crm: { resource: customer }\n\
\x20     erp:    { resource: customer }";
    BAD_ONE_OF = "ME0502", "`one_of` is not complete",
        "Many resources make one register when a field of the other side tells which one a record is.\n\
\n\
Right:\n\
\x20   crm: { one_of: { product: [Stock], work_type: [Labor] }, by: erp.type }";
    BAD_DIRECTION = "ME0503", "this direction is wrong",
        "`both`, `link_only`, or one way by the names of the sides: `crm -> erp`. A side that is written to needs a resource that can be written.";
    WRONG_MASTER = "ME0504", "the master is on the wrong side",
        "The master is one of the two sides, by its name or by a setting of type `side`. A register that goes one way has its source \
         as master.";
    WRITTEN_TWICE = "ME0505", "a field is written twice",
        "Two rows give the same field a value. One of them must go, or both need a `when` that excludes the other.";
    BAD_BRAKE = "ME0506", "this is no brake",
        "A brake is a number of records (`500`) or a share of those that are linked (`25%`).";
    NO_MATCH = "ME0507", "how records are recognised is not clear",
        "`match:` names rows of the field table by their left path, in the order in which they are tried; a nested list means all of them together.\n\
\n\
Right:\n\
\x20   match: [ [number, name], name ]";
    WHOSE_RECORDS = "ME0508", "whose records this is about is not clear",
        "A rule under `valid:` is about the records of one side: name a field with its side, or add `of:`.";
    NO_PARENT = "ME0509", "no row names the parent",
        "`part_of: customers` needs a row with `ref: customers`: the field that names the parent.";
    BAD_SITUATION = "ME0510", "this situation cannot be answered so",
        "Only `source_missing`, `target_missing` and `out_of_scope` may be answered otherwise than by default, each by the words that its message lists.";
    REQUIRED_WITHOUT_ROW = "ME0511", "a required field has no row",
        "A record of this resource cannot be made without the field, and no row gives it a value.";
    CIRCLE = "ME0512", "registers refer to each other in a circle",
        "Registers are worked on in the order of their references; in a circle there is none.";
    BAD_ROW = "ME0513", "this row is not complete",
        "A row has two sides, or one side and `constant`, `value` or `template`. Many paths on one side need `join`.";
    ONE_WAY_ONLY = "ME0514", "this has no way back",
        "`multiply` and `else` work one way only: give the row a direction. `multiply` needs `round`.";
    WRITES_NOTHING = "ME0515", "this row writes nothing",
        "Neither side of the row can be written: by the directions, or because the fields are read-only.";
    BAD_EXISTS = "ME0516", "this question cannot be answered",
        "`exists:` asks whether a record of another resource of the same side stands with one of these: some of their fields are equal to \
         ours, one value with one value. `related:` of a document asks for that record itself, on either side. The names of a resource's \
         questions differ.\n\
\n\
Right:\n\
\x20   crm: { resource: customer, exists: { won: { resource: project, where: { customer.id: id }, when: \"state == 'Won'\" } }, create_when: \"exists.won\" }";
    BAD_STEP = "ME0520", "this is no step",
        "A step is exactly one of `create`, `verify`, `write_back`, `set_status`, `action` and `attach`; `create` comes first, and once. What is made of a file (`file: SIDE.NAME`) is made of one of the source's. What was done by an action cannot be taken back, so a `verify` that deletes stands before it.";
    NO_FIND_AGAIN = "ME0521", "an unknown outcome could not be settled",
        r#"A write may get no answer. The engine then looks whether it took effect, and has to know by what.
Name the fields of the other side that tell the record again, or say that a person decides.

Right:
    find_again: [ note ]
    on_unknown: hold"#;
    UNKNOWN_ROLE = "ME0522", "unknown role",
        "A role is named that the status flow does not declare, or there is no `status_flow`.";
    ILLEGAL_MOVE = "ME0523", "a move that is not legal",
        "A status may only be set along a move of the status flow whose `by` is `mapping`.";
    BAD_FLOW = "ME0524", "a status flow that cannot work",
        "Every role is reached by some move, every move is somebody's, and the role that travels leads on.";
    BAD_ROWS = "ME0525", "these rows cannot be carried",
        "`rows` names a list on both sides: the source's (its own, or one of child records) and the one that is written.";
    BAD_RECONCILE = "ME0526", "this cannot be reconciled",
        "`reconcile` says what a record of either side comes to: amounts, a date, and lists of rows that this side has.\n\
\n\
Right:\n\
\x20   reconcile:\n\
\x20     shop: { total: total, date: date, rows: { of: rows, net: \"quantity | times(price)\", rate: vatRate } }";
    BAD_DURATION = "ME0601", "this is not a length of time",
        "Lengths of time are numbers with units: `500ms`, `30s`, `10m`, `1h 30m`, `24h`.";
    NOT_LISTED = "ME0602", "this resource cannot be listed",
        "A register needs a resource that has a list call.";
    LIKE = "ME0603", "a resource that cannot be like another",
        r#"`like` copies what another resource writes itself, once. It must exist, must not be the
resource itself, and must not be like a third one: then nobody could see what is copied.

Wrong:
    a: { like: b }
    b: { like: c }
Right:
    a: { like: c }
    b: { like: c }"#;
    UNKNOWN_PAGER = "ME0604", "unknown pager",
        r#"A pager is named that is not declared under `pagers`.

Wrong:
    pagers: { rows: … }
    resources: { customer: { pager: row } }
Right:
    pagers: { rows: … }
    resources: { customer: { pager: rows } }"#;
    WORD_MISSING = "ME0605", "something is missing",
        r#"What is described here cannot work without another setting: a pager of kind next_token
without its token, auth of kind basic without a password, a list without the fields of
its items.

Wrong:
    pagers: { rows: { kind: offset } }
Right:
    pagers: { rows: { kind: offset, offset: { param: firstRow }, size: { param: rowCount, value: 100 } } }"#;
    WORD_UNUSED = "ME0606", "a setting that is not used",
        r#"A setting belongs to another kind, so it would do nothing here. It is refused, because
whoever wrote it believes that it does something.

Wrong:
    pagers: { whole: { kind: none, page: { param: p } } }
Right:
    pagers: { pages: { kind: page, page: { param: p } } }"#;
    BAD_ADDRESS = "ME0607", "not an address",
        r#"The base address is absolute and https; http is only for this machine. What follows is a
path that begins with `/`; its query is written apart. Nothing in an address is secret.

Wrong:
    base_url: api.example.com
    get: customers?active=1
Right:
    base_url: https://api.example.com
    get: { get: /customers, query: { active: "1" } }"#;
    KEY_MISSING = "ME0608", "no usable key",
        r#"The API addresses a record by its key: one field, or more. Each is a single value that
every answer holds. Only a resource of which there is exactly one (`singleton: true`) has none.

Wrong:
    customer: { path: /customers, fields: { number: text } }
Right:
    customer: { path: /customers, key: number, fields: { number: text } }"#;
    PATH_TEMPLATE = "ME0609", "a path that cannot be filled in",
        r#"`{path}` is the resource's path, `{key}` its key where that is one field, and `{field}` the
value of a field. What is filled in must be known: a new record has no key yet, and a field
that cannot be read is never known.

Wrong:
    get: "{path}/{id}"
    (the field is called guid)
Right:
    get: "{path}/{guid}""#;
    CREATE_WITHOUT_ID = "ME0610", "a create that gives no key",
        r#"After a record was made, the engine must know its key: from a place in the answer, from a
header, from the whole record in the answer, or because the mapping gave it (the key is then
`required`).

Wrong:
    create: { post: "{path}" }
Right:
    create: { post: "{path}", id: { header: Location, last_segment: true } }"#;
    CONTRADICTION = "ME0611", "words that contradict each other",
        r#"Two words say opposite things about one field or call, so one of them is a mistake.

Wrong:
    number: { type: integer, read_only: true, required: true }
Right:
    number: { type: integer, read_only: true }"#;
    NOTHING_TO_WRITE = "ME0612", "nothing can be written",
        r#"A resource has a call that writes, but every field is `read_only` (or, for an update,
`create_only`): the call would send nothing.

Wrong:
    unit: { update: { put: "{path}/{key}" }, fields: { code: { type: text, read_only: true } } }
Right:
    unit: { access: read_only, fields: { code: text } }"#;
    SAME_PLACE = "ME0613", "two fields at one place",
        r#"Two fields of a resource are written to the same place on the wire, or one inside the
other, or have names that stand inside each other. What is sent would depend on their order.

Wrong:
    status: text
    statusCode: { type: text, path: status }
Right:
    status: text
    statusCode: { type: text, path: status, read_only: true }"#;
    BAD_TARGET = "ME0614", "a field that does not lead to a record",
        r#"A `ref`, `lookup`, `part` or `pointer` leads from one record to another: by the other one's
key, which must be one field, and by a field that says with `ref` whose key it holds.

Wrong:
    country: { type: text, lookup: country }
Right:
    country: { type: text, lookup: country.code }"#;
    LOOKUP_CYCLE = "ME0615", "a lookup that needs itself",
        r#"A lookup shows a field of another record. Where that field is a lookup that comes back to
the first one, no value can ever be found.

Wrong:
    a: { x: { type: text, lookup: b.y } }
    b: { y: { type: text, lookup: a.x } }
Right:
    a: { x: { type: text, lookup: b.y } }
    b: { y: { type: id, ref: a } }"#;
    UNKNOWN_PART = "ME0616", "unknown part",
        r#"A pivot names a part that the resource does not declare under `parts`.

Wrong:
    parts: { addresses: … }
    billing: { type: object, pivot: { part: address, where: { kind: Billing } } }
Right:
    parts: { addresses: … }
    billing: { type: object, pivot: { part: addresses, where: { kind: Billing } } }"#;
    LIST_BELOW_PARENT = "ME0617", "a list below a parent without the parent",
        r#"A list with a field in its path is read once for each parent. The field must say with `ref`
which resource the parent is.

Wrong:
    list: { get: "/customers/{customer}/addresses" }
    fields: { customer: id }
Right:
    list: { get: "/customers/{customer}/addresses" }
    fields: { customer: { type: id, ref: customer } }"#;
    LITERAL_SECRET = "ME0618", "a secret in the file",
        r#"System files are shared. Whatever proves who a request is from is given by a connection and
stands here only as the name of a credential.

Wrong:
    headers: { X-Api-Key: "4f7a…" }
Right:
    headers: { X-Api-Key: "{{ credentials.api_key }}" }"#;
    ERROR_RULE = "ME0619", "an error rule that cannot work",
        r#"An error rule says what one kind of error answer means. Rules are tried in order, so a
wide rule before a narrow one hides it; a rule can ask for a kind or message only where
`errors` says where that stands; and some meanings make no sense for some calls.

Wrong:
    rules: [ { status: 400, class: refused }, { status: 400, kind: Busy, class: wait } ]
Right:
    rules: [ { status: 400, kind: Busy, class: wait }, { status: 400, class: refused } ]"#;
    UPDATE_METHOD = "ME0620", "an update without its method",
        r#"An update names exactly one of `patch`, `put` and `post`. What `defaults` gave is taken
away with a null.

Wrong:
    defaults: { update: { patch: "{path}/{key}" } }
    update: { put: "{path}/{key}" }
Right:
    defaults: { update: { patch: "{path}/{key}" } }
    update: { patch: null, put: "{path}/{key}" }"#;
    BAD_NUMBER = "ME0621", "a number that makes no sense",
        r#"A rate, a page size or a reserve has a value with which nothing would ever be sent or read,
or which is no number at all. A reserve is a number of requests or a share: 100, 5%.

Wrong:
    limits: { requests: 0 }
Right:
    limits: { requests: 8, per: 1s }"#;
    NO_READ = "ME0622", "records that cannot be read",
        r#"The engine compares what is there, so every resource needs a `list` or a `get`. A resource
with a `path` has a list by itself.

Wrong:
    unit: { path: /units, list: none, key: code, fields: { code: text } }
Right:
    unit: { path: /units, key: code, fields: { code: text } }"#;
    OBJECT_CYCLE = "ME0623", "an object type that holds itself",
        r#"An object type with a field of its own type, straight or through another, would never end.

Wrong:
    objects: { person: { name: text, boss: person } }
Right:
    objects: { person: { name: text, bossId: { type: id, ref: person } } }"#;
    BAD_FORMAT = "ME0624", "not a form of a date or time",
        r#"The forms in which dates and times are sent are written in the words of strftime.

Wrong:
    times: { send_date: YYYY-MM-DD }
Right:
    times: { send_date: "%Y-%m-%d" }"#;
    BAD_ENCODING = "ME0625", "an encoding that cannot work",
        r#"The parts of an encoding do not go together: a JSON Patch only changes records and has no
envelope; a tagged scalar names its members (a decimal one, a date three, a time six); an XML document is one element
(a root or an envelope) with names that elements can have, and where names are read in lower case, paths are too.

Wrong:
    encoding: { decimal: { as: tagged } }
Right:
    encoding: { decimal: { as: tagged, tag: { __class__: Decimal }, members: [decimal] } }"#;
    BAD_ACTION = "ME0626", "an action that cannot work",
        r#"An action does something to a record by a call of its own. It is done when the record says so as it is
read again: the resource must have a `get`, may be written, and `done` names a field that tells.

Right:
    actions: { release: { post: "{path}/{key}/release", done: "status == 'Open'" } }"#;
    BAD_FILES = "ME0627", "files that cannot be read or attached",
        r#"Files of a record are either one, with a name over the record's fields, or a list, with an `id` that stands in
the path of the content as `{file}`.

Right:
    files:
      pdf:   { get: "{path}/{key}/pdf", name: "{{ number }}.pdf", type: application/pdf }
      files: { list: "{path}/{key}/files", get: "/files/{file}", id: id, name: name }
      own:   { field: "lines[*].attachments", get: "/files/{file}", id: id, name: name }"#;
    BAD_IDEMPOTENCY_KEY = "ME0628", "an idempotency key that cannot work",
        r#"A system that takes a key for every create does not make a second record when the request is repeated with the same key.
The key goes to one place, which no field has, and a repeat is answered as the first request was, or that there is such a record
already; then the key is the record's own, by which it can be read.

Right:
    create: { post: "{path}", id: id, idempotency_key: { header: Idempotency-Key, kept: 24h } }
    create: { post: "{path}", id: id, idempotency_key: { field: uuid, repeat: already_exists } }"#;
    BAD_SIGNATURE = "ME0640", "a signature that cannot work",
        r#"A signed request proves something only where a secret goes into the signature, a header carries it, and the
server is told what it cannot know: the time and the id of the request, each alone in a header. A known answer
(`vectors`) must come out as it stands in the file.

Wrong:
    signature: { hash: hmac_sha256, sign: ["{{ request.url }}"] }
Right:
    signature: { hash: hmac_sha256, key: ["{{ credentials.secret }}"], sign: ["{{ request.url }}", "{{ timestamp }}"] }
    headers:   { X-Time: "{{ timestamp }}", X-Signature: "{{ signature }}" }"#;
    BAD_SETTING = "ME0701", "this setting is wrong",
        "A setting has a type and a help text; a choice lists its values under `of:`, or says which field has them under `from:`.";
    UNKNOWN_SETTING = "ME0702", "unknown setting",
        "Settings are declared under `settings:` of the mapping, and answered in the connection.";
    SETTING_MISSING = "ME0703", "a setting has no answer",
        "The mapping asks the company something that it must answer, and the connection does not.";
    WRONG_ANSWER = "ME0704", "this answer is wrong",
        "The answer to a setting is not of its type, not one of its choices, or out of its range.";
    UNUSED_SETTING = "ME0705", "nothing uses this setting",
        "A setting that no row, condition or check reads is a question for nothing.";
    BAD_CHECK = "ME0706", "this check is not complete",
        "A check has one of `that`, `access` and `confirm`, and says under `else` what is wrong and where it is put right.";
    BAD_CONNECTION = "ME0707", "the connection is wrong",
        "A connection says for both sides of the mapping where the system is and who we are there. Secrets are `${ENV_NAME}` or `file:/path`.";
    OPEN_SECRETS = "ME0708", "others can read the secrets",
        "Secrets stand in a connection file that everybody on this machine may read. Take the right from them (`chmod 600 FILE`), or name \
         the secrets only: `${ENV_NAME}` or `file:/path`.";
    BAD_CASE = "ME0801", "this case is wrong",
        "A case gives records by declared fields and says what must come of them.";
    INVALID = "ME0901", "the record does not satisfy a rule",
        "A rule under `valid:` of the mapping does not hold for this record. Its reason says what to put right; it is tried again by itself when the record changes.";
    CANNOT_TELL = "ME0902", "an expression failed",
        "An expression of the mapping could not be evaluated for this record.";
    AMBIGUOUS_MATCH = "ME0903", "many records match",
        "Records are linked only where exactly one matches. Make their match keys differ, or link the right pair by hand with `mapengine resolve --link`.";
    TAKEN = "ME0904", "the match is linked already",
        "The record that matches is linked to another one. One of the two is a duplicate.";
    HALF_MATCH = "ME0905", "half a match",
        "One row of a match key of many rows is equal, the others are not. Half a match never links, and never makes a twin.";
    NOT_UNIQUE = "ME0906", "a value stands twice",
        "The mapping says that no two records may share this field, and these do.";
    VALUE_MISSING = "ME0907", "a value is missing",
        "The row says `required: true`, and the source has no value.";
    LEFT_SCOPE = "ME0908", "the record left the scope",
        "A linked record does not concern the mapping any more, and the register says that this is to be looked at.";
    RECORD_GONE = "ME0909", "the other record is gone",
        "A linked record is not there any more on one side. It is never made again by itself: forget the link with `mapengine resolve --unlink`, or restore the record.";
    CODE_MISSING = "ME0910", "a code is not in the table",
        "Code tables have no silent default. Add the code, or say `unlisted: leave`.";
    NOT_LINKED = "ME0911", "a referenced record is not linked",
        "The row says `if_missing: set_aside`, and the record it refers to is not linked.";
    TOO_MANY_DIGITS = "ME0912", "too many digits",
        "A calculation has more digits than an exact decimal holds (28).";
    TOO_MANY_PARTS = "ME0913", "too many parts",
        "A text splits into more parts than there are fields for them.";
    NOT_CONVERTIBLE = "ME0914", "the value cannot be converted",
        "A text that must become a number is none, has leading zeros, or is no date.";
    MANY_CHILDREN = "ME0915", "more than one child could be meant",
        "A field stands in a record of its own below the record (an address, a phone number), more than one of them has the marks \
         that the system file names, and neither a pointer nor an earlier link says which one counts. Leave one marked so.";
    KEY_CHANGED = "ME0920", "a match key changed",
        "Two linked records have different match keys now. Nothing is written to either until they agree again; nothing else stops.";
    CONFLICT = "ME0921", "changed on both sides",
        "Both sides changed the same field since they last agreed, and the mapping names no master for it.";
    CANNOT_WRITE = "ME0930", "the value does not fit the field",
        "A value is too long, not allowed, or missing for the field it goes to.";
    REFUSED = "ME0931", "the system refused it",
        "The system answered that it does not take this. Its own words are in the message. It is tried again when the record changes, and by itself after a while.";
    IN_DOUBT = "ME0940", "a write has no usable answer",
        "A request was sent and nobody knows whether it took effect. It is never repeated blindly: after the settle time the engine looks.";
    ILLEGAL_STATUS = "ME0950", "the status does not lead there",
        "The status of the source is another one by now, and no move of the mapping leads from it to the wanted one. Put the status right.";
    TAKEN_BACK = "ME0951", "it did not stand its check",
        "What the other side made of the document is not what it should be. It was taken back; put the source right and set its status again.";
    NOT_TAKEN_BACK = "ME0952", "it could not be taken back",
        "The document did not stand its check, and the other side refused to remove it. Correct one of the two by hand.";
    NOT_CHECKED = "ME0953", "it cannot be checked",
        "One of the amounts that are compared is not there.";
    CHANGED_AFTER = "ME0954", "the source was changed after the document was made",
        "What was made stays as it is. Undo the change, or correct both by hand.";
    HALF_GONE = "ME0955", "a record of it is gone",
        "One of the two records of a document was removed by somebody. What was made is never made again by itself. Restore the record; or, \
         where the document should travel again, forget the link (`mapengine resolve --unlink DOCUMENT:KEY`): it is decided anew.";
    ACTION_NOT_DONE = "ME0956", "an action was asked for and is not done",
        "The other side took the request, and the record does not say that it happened, though the time for it is over. It is not asked again: do it there by hand; the document goes on as soon as the record says so.";
    STEP_CANNOT_GO = "ME0957", "a step cannot be taken",
        "The step needs something that is not there (any more): an action, a file, a record it goes to.";
    REFUSED_LATER = "ME0958", "the other side refused it later",
        "The other side took the document and refused it afterwards. Put the source right and give it the status again that travels: it goes as a new record.";
    BECAME_MANY = "ME0959", "it became more than one record",
        "The system made more than one record of what a document made there, an order that is invoiced in parts: which of them is sent or \
         paid says nothing of the whole. It is not followed; a person moves its status.";
    WENT_WHOLE = "ME0960", "the record went as a whole before",
        "Each item of a list is a document of its own now, and the record that holds the list was one document before: what it carried then is \
         not made again. What is missing on the other side is made there by hand. Once the link of the whole record is forgotten \
         (`mapengine resolve --unlink`), its items travel.";
    READY_AGAIN = "ME0961", "it was carried before, and stands ready again",
        "Somebody gave a document that was carried the status again from which documents travel. What was made on the other side is never made \
         a second time by itself. If it shall go again, because what was made is gone there, say, forget the link \
         (`mapengine resolve --unlink DOCUMENT:KEY`): it is decided anew. If not, give it the status back that it had.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        let ids: Vec<&str> = ALL.iter().map(|code| code.id).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn every_code_says_more_than_its_title() {
        for code in ALL {
            assert!(code.explain.len() > code.title.len(), "{}", code.id);
            assert!(!code.title.ends_with('.'), "{}", code.id);
        }
    }
}
