//! What manuals say of documents.

phrases! {
    Doc:
    // headings and columns
    Documents = "Documents", "Dokument", "Dokumenter", "Asiakirjat";
    Document = "Document", "Dokument", "Dokument", "Asiakirja";
    Header = "Header", "Huvud", "Hode", "Otsikkotiedot";
    Rows = "Rows: {0} → {1}", "Rader: {0} → {1}", "Rader: {0} → {1}", "Rivit: {0} → {1}";
    Steps = "What happens, in order", "Vad som händer, i ordning", "Hva som skjer, i rekkefølge", "Vaiheet järjestyksessä";
    Flow = "Status flow", "Statusflöde", "Statusflyt", "Tilakaavio";
    ComesBack = "What comes back", "Vad som kommer tillbaka", "Hva som kommer tilbake", "Mitä palaa takaisin";
    WhenTravels = "When it travels", "När det förs över", "Når det overføres", "Milloin siirretään";
    WhatTravels = "What travels", "Vad som förs över", "Hva som overføres", "Mitä siirretään";
    Reconciled = "Reconciliation", "Avstämning", "Avstemming", "Täsmäytys";
    ReckonedTotal = "total {0}", "summa {0}", "sum {0}", "summa {0}";
    ReckonedNet = "without VAT {0}", "utan moms {0}", "uten mva. {0}", "ilman arvonlisäveroa {0}";
    ReckonedRows = "rows {0}", "rader {0}", "rader {0}", "rivit {0}";
    ReckonedRate = "VAT by {0}", "moms efter {0}", "mva. etter {0}", "arvonlisävero kohdan {0} mukaan";
    Unknown = "If no answer comes", "Om inget svar kommer", "Hvis det ikke kommer svar", "Jos vastausta ei tule";
    Refusals = "If it is refused", "Om det avvisas", "Hvis det avvises", "Jos se hylätään";
    Status = "Status", "Status", "Status", "Tila";
    RecognisedAs = "How it is recognised", "Hur den känns igen", "Hvordan den gjenkjennes", "Mistä se tunnistetaan";
    Intro = "Each of these travels once: it is made in the other system, never twice, and then followed as far as its section says.",
        "Vart och ett av dessa förs över en gång: det skapas i det andra systemet, aldrig två gånger, och följs sedan så långt som dess avsnitt säger.",
        "Hvert av disse overføres én gang: det opprettes i det andre systemet, aldri to ganger, og følges deretter så langt som avsnittet sier.",
        "Kukin näistä siirretään kerran: se luodaan toiseen järjestelmään, ei koskaan kahdesti, ja sitä seurataan sen jälkeen niin kuin sen kohdassa kerrotaan.";
    // when and what
    EveryRun = "by itself, in every run", "automatiskt, i varje körning", "automatisk, i hver kjøring", "automaattisesti jokaisessa ajossa";
    OnDemand = "only when a person asks for it ({0}); what has begun is carried on by every run",
        "bara när en person begär det ({0}); det som har påbörjats fullföljs av varje körning",
        "bare når en person ber om det ({0}); det som er påbegynt, fullføres av hver kjøring",
        "vain kun joku pyytää sitä ({0}); aloitettu viedään loppuun jokaisessa ajossa";
    AtMost = "at most {0} in one transfer, the others wait for the next", "högst {0} per överföring, resten väntar till nästa", "høyst {0} per overføring, resten venter til neste", "enintään {0} yhdessä siirrossa, muut odottavat seuraavaa";
    WithRole = "those with the status {0}", "de som har statusen {0}", "de som har statusen {0}", "ne, joiden tila on {0}";
    Those = "those for which {0}", "de för vilka {0}", "de der {0}", "ne, joille pätee {0}";
    AllOfThem = "all of them", "alla", "alle", "kaikki";
    Each = "Each row of {0} ({1}) is a document of its own", "Varje rad i {0} ({1}) är ett eget dokument", "Hver rad i {0} ({1}) er et eget dokument", "Jokainen kohdan {0} ({1}) rivi on oma asiakirjansa";
    Valid = "It must hold that {0}, else: {1}", "Det måste gälla att {0}, annars: {1}", "Det må gjelde at {0}, ellers: {1}", "Ehtona on {0}, muuten: {1}";
    MadeOfFile = "It is made of the file {0} of {1}; the fields below are sent beside it", "Det skapas av filen {0} i {1}; fälten nedan skickas med", "Det opprettes av filen {0} i {1}; feltene nedenfor sendes med", "Se luodaan järjestelmän {1} tiedostosta {0}; alla olevat kentät lähetetään sen mukana";
    Inside = "The files {0} of {1} go inside the message", "Filerna {0} i {1} följer med i meddelandet", "Filene {0} i {1} følger med i meldingen", "Järjestelmän {1} tiedostot {0} kulkevat viestin mukana";
    RowScope = "Only rows for which {0}", "Bara rader för vilka {0}", "Bare rader der {0}", "Vain rivit, joille pätee {0}";
    RowOrder = "In the order of {0}", "I ordning efter {0}", "I rekkefølge etter {0}", "Järjestyksessä kentän {0} mukaan";
    // steps
    Create = "It is made in {0} with the fields above.", "Det skapas i {0} med fälten ovan.", "Det opprettes i {0} med feltene ovenfor.", "Se luodaan järjestelmään {0} yllä olevilla kentillä.";
    Verify = "{0} in {1} is compared with {2} in {3}.", "{0} i {1} jämförs med {2} i {3}.", "{0} i {1} sammenlignes med {2} i {3}.", "Kenttää {0} ({1}) verrataan kenttään {2} ({3}).";
    Tolerance = "They may be {0} apart at most.", "De får skilja sig med högst {0}.", "De kan avvike med høyst {0}.", "Ero saa olla enintään {0}.";
    Equal = "They must be equal.", "De måste vara lika.", "De må være like.", "Niiden on oltava yhtä suuret.";
    NoSign = "A minus does not count: 100 and -100 are equal.", "Minustecken räknas inte: 100 och -100 är lika.", "Minustegn teller ikke: 100 og -100 er like.", "Etumerkillä ei ole väliä: 100 ja -100 ovat samat.";
    MustBeSame = "{0} and {1} must be the same.", "{0} och {1} måste vara samma.", "{0} og {1} må være den samme.", "Kenttien {0} ja {1} on oltava samat.";
    Fails = "Where this does not hold: {0}.", "Om detta inte stämmer: {0}.", "Hvis dette ikke stemmer: {0}.", "Jos tämä ei täsmää: {0}.";
    ElseDelete = "what was made in {0} is removed again", "det som skapades i {0} tas bort igen", "det som ble opprettet i {0}, slettes igjen", "järjestelmään {0} luotu poistetaan";
    ElseStatus = "in {0} it gets the status {1}, and travels anew when somebody has mended it and marked it again", "i {0} får det statusen {1}, och det förs över på nytt när någon har rättat det och markerat det igen", "i {0} får det statusen {1}, og det overføres på nytt når noen har rettet det og markert det igjen", "järjestelmässä {0} sen tilaksi tulee {1}, ja se siirretään uudelleen, kun joku on korjannut sen ja merkinnyt sen jälleen siirrettäväksi";
    ElseAside = "it is set aside with the reason", "det ställs åt sidan med orsaken", "det settes til side med årsaken", "se jätetään sivuun syineen";
    WriteBack = "Goes back to {0}: {1}.", "Förs tillbaka till {0}: {1}.", "Føres tilbake til {0}: {1}.", "Palautetaan järjestelmään {0}: {1}.";
    BackFrom = "{0} from {1}", "{0} från {1}", "{0} fra {1}", "{0} kentästä {1}";
    BackStatus = "In the same request it gets the status {0}.", "I samma anrop får det statusen {0}.", "I samme kall får det statusen {0}.", "Samassa pyynnössä sen tilaksi tulee {0}.";
    SetStatus = "In {0} it gets the status {1}.", "I {0} får det statusen {1}.", "I {0} får det statusen {1}.", "Järjestelmässä {0} sen tilaksi tulee {1}.";
    Action = "In {0} the action {1} is called for it, once. It is done when {2}; until then the document waits.", "I {0} utförs åtgärden {1} på det, en gång. Den är klar när {2}; till dess väntar dokumentet.", "I {0} utføres handlingen {1} på det, én gang. Den er ferdig når {2}; til da venter dokumentet.", "Järjestelmässä {0} sille tehdään toiminto {1}, kerran. Se on valmis, kun {2}; siihen asti asiakirja odottaa.";
    Attach = "The files {0} of {1} are attached to {2} in {3}, each once.", "Filerna {0} från {1} bifogas {2} i {3}, var och en en gång.", "Filene {0} fra {1} legges ved {2} i {3}, hver én gang.", "Järjestelmän {1} tiedostot {0} liitetään kohteeseen {2} ({3}), kukin kerran.";
    About = "With the text {0}.", "Med texten {0}.", "Med teksten {0}.", "Tekstillä {0}.";
    OnlyIf = "Only when {0}.", "Bara när {0}.", "Bare når {0}.", "Vain, kun {0}.";
    HowSteps = "Each step is written down before the next one begins: a run that was cut goes on where it stopped, and no step is done twice. Where a step fails, the document is set aside there with the reason; the steps before it stay done, and it is tried again by itself.",
        "Varje steg antecknas innan nästa börjar: en avbruten körning fortsätter där den slutade, och inget steg görs två gånger. Om ett steg misslyckas ställs dokumentet åt sidan där med orsaken; stegen före förblir gjorda, och det prövas igen av sig självt.",
        "Hvert trinn noteres før det neste begynner: en avbrutt kjøring fortsetter der den stoppet, og ingen trinn gjøres to ganger. Hvis et trinn mislykkes, settes dokumentet til side der med årsaken; trinnene før forblir gjort, og det prøves igjen av seg selv.",
        "Jokainen vaihe kirjataan ennen seuraavan alkua: keskeytynyt ajo jatkuu siitä, mihin se jäi, eikä mitään vaihetta tehdä kahdesti. Jos vaihe epäonnistuu, asiakirja jätetään siihen sivuun syineen; aiemmat vaiheet pysyvät tehtyinä, ja sitä yritetään uudelleen automaattisesti.";
    // refusals and unknown outcomes
    RefusedStatus = "what a condition below, a code table or {0} refuses gets the status {1} in {2} and is set aside with the reason", "det som ett villkor nedan, en kodtabell eller {0} avvisar får statusen {1} i {2} och ställs åt sidan med orsaken", "det som et vilkår nedenfor, en kodetabell eller {0} avviser, får statusen {1} i {2} og settes til side med årsaken", "se, minkä alla oleva ehto, kooditaulukko tai {0} hylkää, saa tilan {1} järjestelmässä {2} ja jätetään sivuun syineen";
    RefusedAside = "what a condition below, a code table or {0} refuses is set aside with the reason, and tried again when it changes", "det som ett villkor nedan, en kodtabell eller {0} avvisar ställs åt sidan med orsaken och prövas igen när det ändras", "det som et vilkår nedenfor, en kodetabell eller {0} avviser, settes til side med årsaken og prøves igjen når det endres", "se, minkä alla oleva ehto, kooditaulukko tai {0} hylkää, jätetään sivuun syineen, ja sitä yritetään uudelleen, kun se muuttuu";
    ByKey = "the very same request is sent again with the same key, by which {0} knows it and makes it only once", "exakt samma anrop skickas igen med samma nyckel, som {0} känner igen det på, och det skapas bara en gång", "nøyaktig samme kall sendes igjen med samme nøkkel, som {0} kjenner det igjen på, og det opprettes bare én gang", "täsmälleen sama pyyntö lähetetään uudelleen samalla avaimella, josta {0} tunnistaa sen, ja se luodaan vain kerran";
    Found = "after {0} it is looked for in {1} by {2}: one that is there is taken as ours, if there is none it is decided anew, and more than one are held for a person", "efter {0} söks det i {1} på {2}: finns det ett tas det som vårt, finns det inget avgörs det på nytt, finns det fler får en person avgöra", "etter {0} letes det i {1} etter {2}: finnes ett, tas det som vårt, finnes ingen, avgjøres det på nytt, finnes flere, må en person avgjøre", "{0} kuluttua sitä etsitään järjestelmästä {1} kentillä {2}: jos siellä on yksi, se otetaan omaksemme, jos ei yhtään, asia ratkaistaan uudelleen, ja useammasta päättää ihminen";
    FoundTwin = "after {0} it is looked for in {1} by {2}: one that is there and not linked yet is taken as ours, of equal ones any; if there is none it is decided anew", "efter {0} söks det i {1} på {2}: ett som finns där och inte är länkat än tas som vårt, av lika vilket som helst; finns det inget avgörs det på nytt", "etter {0} letes det i {1} etter {2}: ett som finnes der og ikke er koblet ennå, tas som vårt, av like hvilket som helst; finnes ingen, avgjøres det på nytt", "{0} kuluttua sitä etsitään järjestelmästä {1} kentillä {2}: siellä oleva, vielä linkittämätön otetaan omaksemme, samanlaisista mikä tahansa; jos sellaista ei ole, asia ratkaistaan uudelleen";
    Held = "it cannot be told again in {0}: it is held until a person says whether it is there", "det går inte att känna igen i {0}: det hålls tills en person säger om det finns där", "det kan ikke gjenkjennes i {0}: det holdes til en person sier om det finnes der", "sitä ei voi tunnistaa järjestelmässä {0}: se odottaa, kunnes ihminen kertoo, onko se siellä";
    // status flow
    FlowIntro = "The status stands in the field {0} of {1}. Each arrow says whose move it is.", "Statusen står i fältet {0} i {1}. Varje pil säger vem som flyttar.", "Statusen står i feltet {0} i {1}. Hver pil sier hvem som flytter.", "Tila on järjestelmän {1} kentässä {0}. Jokainen nuoli kertoo, kuka siirron tekee.";
    InOrder = "The statuses stand in this order by {0}.", "Statusarna står i denna ordning enligt {0}.", "Statusene står i denne rekkefølgen etter {0}.", "Tilat ovat tässä järjestyksessä kentän {0} mukaan.";
    OnlyStatuses = "Only statuses for which {0} count.", "Bara statusar för vilka {0} räknas.", "Bare statuser der {0} regnes med.", "Vain ne tilat lasketaan, joille pätee {0}.";
    With = "with {0}", "med {0}", "med {0}", "valittuna {0}";
    Without = "with none of {0}", "utan någon av {0}", "uten noen av {0}", "valitsematta mitään näistä: {0}";
    WithoutOne = "without {0}", "utan {0}", "uten {0}", "valitsematta {0}";
    Repeat = "one or more in a row", "en eller flera i följd", "én eller flere etter hverandre", "yksi tai useampi peräkkäin";
    Must = "it must hold that {0}, else: {1}", "det måste gälla att {0}, annars: {1}", "det må gjelde at {0}, ellers: {1}", "ehtona on {0}, muuten: {1}";
    Named = "the status {0}", "statusen {0}", "statusen {0}", "tila {0}";
    Rest = "every other status", "alla andra statusar", "alle andre statuser", "kaikki muut tilat";
    MadeStatus = "where there is none, a run makes it", "saknas den skapas den av en körning", "mangler den, opprettes den av en kjøring", "jos sitä ei ole, ajo luo sen";
    Taken = "travels", "förs över", "overføres", "siirretään";
    NeedsPerson = "needs a person", "kräver åtgärd", "krever handling", "vaatii toimia";
    Own = "integration: {0}", "integrationen: {0}", "integrasjonen: {0}", "integraatio: {0}";
    NoStep = "integration (no step makes it)", "integrationen (inget steg gör det)", "integrasjonen (ingen trinn gjør det)", "integraatio (mikään vaihe ei tee sitä)";
    CauseRefused = "refused", "avvisat", "avvist", "hylätty";
    CauseVerify = "{0} and {1} differ", "{0} och {1} skiljer sig", "{0} og {1} er ulike", "{0} ja {1} eroavat";
    CauseBack = "made and written back", "skapat och återfört", "opprettet og ført tilbake", "luotu ja tiedot palautettu";
    CauseStatus = "made", "skapat", "opprettet", "luotu";
    CauseFollow = "when {0}", "när {0}", "når {0}", "kun {0}";
    CauseLater = "refused later, when {0}", "avvisat i efterhand, när {0}", "avvist i ettertid, når {0}", "hylätty jälkikäteen, kun {0}";
    // what comes back
    While = "As long as it has the status {0} in {1}, it is looked at in every run.", "Så länge det har statusen {0} i {1} följs det i varje körning.", "Så lenge det har statusen {0} i {1}, følges det i hver kjøring.", "Niin kauan kuin sen tila järjestelmässä {1} on {0}, sitä seurataan jokaisessa ajossa.";
    Or = "{0} or {1}", "{0} eller {1}", "{0} eller {1}", "{0} tai {1}";
    Related = "{0} is the record ({1}) of {2} with {3}.", "{0} är posten ({1}) i {2} med {3}.", "{0} er posten ({1}) i {2} med {3}.", "{0} on järjestelmän {2} tietue ({1}), jossa {3}.";
    Becomes = "{0} turns it into another record, {1} with {2}: that one is followed from then on.", "{0} gör det till en annan post, {1} med {2}: därefter följs den.", "{0} gjør det til en annen post, {1} med {2}: deretter følges den.", "{0} tekee siitä toisen tietueen, {1}, jossa {2}: sen jälkeen seurataan sitä.";
    Moves = "It gets the status {0} when {1}", "Det får statusen {0} när {1}", "Det får statusen {0} når {1}", "Sen tilaksi tulee {0}, kun {1}";
    RefusedLater = "When {0}, {1} has refused it later: it counts as refused, with the reason {2}", "När {0} har {1} avvisat det i efterhand: det räknas som avvisat, med orsaken {2}", "Når {0}, har {1} avvist det i ettertid: det regnes som avvist, med årsaken {2}", "Kun {0}, {1} on hylännyt sen jälkikäteen: se katsotaan hylätyksi, syynä {2}";
    ReasonGiven = "that {0} gives", "som {0} anger", "som {0} oppgir", "jonka {0} antaa";
    Nothing = "Nothing is followed after the last step.", "Ingenting följs efter det sista steget.", "Ingenting følges etter det siste trinnet.", "Viimeisen vaiheen jälkeen ei seurata mitään.";
    // situations
    SChanged = "A document is changed while it is on its way", "Ett dokument ändras medan det är på väg", "Et dokument endres mens det er underveis", "Asiakirja muuttuu siirron aikana";
    AChanged = "It is held where it is until a person has looked; its rows count, too", "Det hålls där det är tills en person har tittat; även raderna räknas", "Det holdes der det er, til en person har sett på det; også radene teller", "Se pysäytetään siihen, kunnes ihminen on tarkistanut sen; myös rivit lasketaan";
    SCodes = "Codes that documents need are missing in a code table", "Koder som dokument behöver saknas i en kodtabell", "Koder som dokumenter trenger, mangler i en kodetabell", "Asiakirjojen tarvitsemia koodeja puuttuu kooditaulukosta";
    ACodes = "They are listed together, what needs them is set aside, the rest goes", "De listas tillsammans, det som behöver dem ställs åt sidan, resten förs över", "De listes sammen, det som trenger dem, settes til side, resten overføres", "Ne luetellaan yhdessä, niitä tarvitsevat jätetään sivuun, muut siirretään";
    SMoved = "Somebody has changed the status meanwhile", "Någon har ändrat statusen under tiden", "Noen har endret statusen i mellomtiden", "Joku on muuttanut tilaa sillä välin";
    AMoved = "A move that is not in the flow from there is not made", "En flytt som inte finns i flödet därifrån görs inte", "En flytting som ikke finnes i flyten derfra, gjøres ikke", "Siirtoa, jota kaaviossa ei siitä tilasta ole, ei tehdä";
    // statuses by the names that mappings commonly give them
    RFailed = "failed", "misslyckad", "feilet", "epäonnistunut";
    RDraft = "draft", "utkast", "utkast", "luonnos";
    RReady = "ready", "klar", "klar", "valmis";
    RTransferred = "transferred", "överförd", "overført", "siirretty";
    RToSend = "to be sent", "ska skickas", "skal sendes", "lähetettävä";
    RSent = "sent", "skickad", "sendt", "lähetetty";
    RPartlyPaid = "partially paid", "delbetald", "delvis betalt", "osittain maksettu";
    RPaid = "paid", "betald", "betalt", "maksettu";
    ROrdered = "ordered", "beställd", "bestilt", "tilattu";
    RRejected = "rejected", "avvisad", "avvist", "hylätty";
    ROther = "other", "annan", "annen", "muu";
}

/// The word for a status, where mappings commonly use its name.
pub fn status_word(role: &str) -> Option<Doc> {
    Some(match role {
        "failed" => Doc::RFailed,
        "draft" => Doc::RDraft,
        "ready" => Doc::RReady,
        "transferred" => Doc::RTransferred,
        "to_send" => Doc::RToSend,
        "sent" => Doc::RSent,
        "partially_paid" | "part_paid" => Doc::RPartlyPaid,
        "paid" => Doc::RPaid,
        "ordered" => Doc::ROrdered,
        "rejected" => Doc::RRejected,
        "other" => Doc::ROther,
        _ => return None,
    })
}
