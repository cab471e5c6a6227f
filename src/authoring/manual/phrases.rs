//! The headings and fixed phrases of a manual, in every language: one table for what all manuals say, one for documents.

use serde::Deserialize;

/// The languages of a manual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Swedish.
    Sv,
    /// Norwegian (bokmål).
    Nb,
    /// Finnish.
    Fi,
}

impl Language {
    /// All of them, in the order of the table.
    pub const ALL: [Language; 4] = [Language::En, Language::Sv, Language::Nb, Language::Fi];

    /// Its code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Sv => "sv",
            Language::Nb => "nb",
            Language::Fi => "fi",
        }
    }
}

/// Something a manual says.
pub trait Said: Copy {
    /// In every language, in the order of [`Language::ALL`].
    fn texts(self) -> [&'static str; 4];

    /// In one language.
    fn text(self, language: Language) -> &'static str {
        self.texts()[language as usize]
    }
}

macro_rules! phrases {
    ($all:ident: $($name:ident = $en:literal, $sv:literal, $nb:literal, $fi:literal;)*) => {
        /// A heading or fixed phrase; `{0}`, `{1}` are filled in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $all { $($name),* }

        #[cfg(test)]
        impl $all {
            /// All of them.
            pub const ALL: &'static [$all] = &[$($all::$name),*];
        }

        impl $crate::authoring::manual::phrases::Said for $all {
            fn texts(self) -> [&'static str; 4] {
                match self { $($all::$name => [$en, $sv, $nb, $fi]),* }
            }
        }
    };
}

mod documents;

pub use documents::{Doc, status_word};

phrases! {
    Phrase:
    // headings
    Manual = "Manual of the integration", "Handbok för integrationen", "Håndbok for integrasjonen", "Integraation käsikirja";
    KeptEqual = "What is kept equal", "Vad som hålls lika", "Hva som holdes likt", "Mitä pidetään yhdenmukaisena";
    Settings = "Settings", "Inställningar", "Innstillinger", "Asetukset";
    Checks = "Checks before anything is written", "Kontroller innan något skrivs", "Kontroller før noe skrives", "Tarkistukset ennen kirjoittamista";
    Registers = "Registers", "Register", "Registre", "Rekisterit";
    Safety = "Schedule and brakes", "Schema och spärrar", "Tidsplan og sperrer", "Aikataulu ja rajoittimet";
    Errors = "What happens when something is not as expected", "Vad som händer när något avviker", "Hva som skjer når noe avviker", "Mitä tapahtuu poikkeustilanteissa";
    Contents = "Contents", "Innehåll", "Innhold", "Sisällys";
    // columns
    Register = "Register", "Register", "Register", "Rekisteri";
    Direction = "Direction", "Riktning", "Retning", "Suunta";
    Master = "Master", "Master", "Master", "Isäntäjärjestelmä";
    Rule = "Rule", "Regel", "Regel", "Sääntö";
    Setting = "Setting", "Inställning", "Innstilling", "Asetus";
    Meaning = "What it is for", "Vad den är till för", "Hva den er til", "Mihin sitä käytetään";
    Answers = "Answer", "Svar", "Svar", "Vastaus";
    Situation = "What was found", "Vad som hittades", "Hva som ble funnet", "Havainto";
    Action = "What happens", "Vad som händer", "Hva som skjer", "Mitä tapahtuu";
    // overview
    Intro = "{0} and {1} are connected. The records below are kept equal in both, field by field: only what changed is carried, and a run without changes writes nothing.",
        "{0} och {1} är kopplade till varandra. Posterna nedan hålls lika i båda, fält för fält: bara det som har ändrats förs över, och en körning utan ändringar skriver ingenting.",
        "{0} og {1} er koblet sammen. Postene nedenfor holdes like i begge, felt for felt: bare det som er endret, overføres, og en kjøring uten endringer skriver ingenting.",
        "{0} ja {1} on yhdistetty toisiinsa. Alla olevat tiedot pidetään samoina molemmissa kenttä kentältä: vain muuttuneet tiedot siirretään, eikä ajo ilman muutoksia kirjoita mitään.";
    Connected = "{0} and {1} are connected.", "{0} och {1} är kopplade till varandra.", "{0} og {1} er koblet sammen.", "{0} ja {1} on yhdistetty toisiinsa.";
    BothWays = "both ways", "båda riktningarna", "begge retninger", "molempiin suuntiin";
    OneWay = "{0} → {1}", "{0} → {1}", "{0} → {1}", "{0} → {1}";
    LinkOnly = "pairs are found, nothing is written", "par hittas, ingenting skrivs", "par finnes, ingenting skrives", "parit tunnistetaan, mitään ei kirjoiteta";
    NoMaster = "field by field", "fält för fält", "felt for felt", "kentittäin";
    // registers
    Records = "Records", "Poster", "Poster", "Tietueet";
    OnlyWhen = "Active only when {0}", "Aktivt bara när {0}", "Aktivt bare når {0}", "Käytössä vain, kun {0}";
    NewRecords = "New records", "Nya poster", "Nye poster", "Uudet tietueet";
    NewBoth = "are made in both systems", "skapas i båda systemen", "opprettes i begge systemer", "luodaan molempiin järjestelmiin";
    NewIn = "are made in {0} only", "skapas bara i {0}", "opprettes bare i {0}", "luodaan vain järjestelmään {0}";
    NewNowhere = "are made in neither system", "skapas inte i något av systemen", "opprettes ikke i noen av systemene", "ei luoda kumpaankaan järjestelmään";
    MasterIs = "{0} counts where both changed", "{0} gäller när båda har ändrats", "{0} gjelder når begge er endret", "{0} ratkaisee, kun molemmat ovat muuttuneet";
    MasterNone = "none for the register: a field that changed on both sides is set aside unless its row says otherwise",
        "ingen för registret: ett fält som har ändrats på båda sidor ställs åt sidan om inte raden säger något annat",
        "ingen for registeret: et felt som er endret på begge sider, settes til side hvis ikke raden sier noe annet",
        "ei rekisterikohtaista: molemmissa muuttunut kenttä jätetään sivuun, ellei rivi määrää toisin";
    BySetting = "by the setting {0}; without an answer {1}", "enligt inställningen {0}; utan svar {1}", "etter innstillingen {0}; uten svar {1}", "asetuksen {0} mukaan; ilman vastausta {1}";
    Exists = "{0}: {1} has a record ({2}) with {3}", "{0}: i {1} finns en post ({2}) med {3}", "{0}: i {1} finnes en post ({2}) med {3}", "{0}: järjestelmässä {1} on tietue ({2}), jossa {3}";
    Counted = "only those for which {0} count", "bara de för vilka {0} räknas", "bare de der {0} regnes med", "vain ne lasketaan, joille pätee {0}";
    KindWhere = "{0} where {1} is {2}", "{0} där {1} är {2}", "{0} der {1} er {2}", "{0}, kun {1} on {2}";
    Scope = "Concerned in {0}", "Omfattas i {0}", "Omfattes i {0}", "Mukana järjestelmästä {0}";
    CreateWhen = "Brought from {0} only when {1}", "Förs från {0} bara när {1}", "Hentes fra {0} bare når {1}", "Tuodaan järjestelmästä {0} vain, kun {1}";
    Matching = "Recognised by", "Känns igen på", "Gjenkjennes på", "Tunnistetaan";
    Together = "{0} together", "{0} tillsammans", "{0} sammen", "{0} yhdessä";
    Else = "{0}, otherwise {1}", "{0}, annars {1}", "{0}, ellers {1}", "{0}, muuten {1}";
    PartOf = "Belongs to {0}: a record is concerned once the one it belongs to is linked", "Hör till {0}: en post omfattas när den post som den hör till är länkad", "Hører til {0}: en post omfattes når posten den hører til, er koblet", "Kuuluu rekisteriin {0}: tietue on mukana, kun sen päätietue on linkitetty";
    Unique = "In {0} no two records may share {1}; those that do are set aside", "I {0} får inga två poster ha samma {1}; de som har det ställs åt sidan", "I {0} kan ikke to poster ha samme {1}; de som har det, settes til side", "Järjestelmässä {0} kahdella tietueella ei saa olla samaa arvoa kentässä {1}; tällaiset jätetään sivuun";
    UniqueWhen = "In {0} no two records may share {1} where {2}; those that do are set aside", "I {0} får inga två poster ha samma {1} där {2}; de som har det ställs åt sidan", "I {0} kan ikke to poster ha samme {1} der {2}; de som har det, settes til side", "Järjestelmässä {0} kahdella tietueella ei saa olla samaa arvoa kentässä {1}, kun {2}; tällaiset jätetään sivuun";
    Valid = "In {0} it must hold that {1}, else: {2}", "I {0} måste gälla att {1}, annars: {2}", "I {0} må det gjelde at {1}, ellers: {2}", "Järjestelmässä {0} ehtona on {1}, muuten: {2}";
    Adopt = "When two existing records meet for the first time, {0} counts", "När två befintliga poster möts första gången gäller {0}", "Når to eksisterende poster møtes første gang, gjelder {0}", "Kun kaksi olemassa olevaa tietuetta kohtaa ensimmäisen kerran, {0} ratkaisee";
    // rules of rows
    Constant = "always {0}", "alltid {0}", "alltid {0}", "aina {0}";
    Calculated = "calculated: {0}", "beräknas: {0}", "beregnes: {0}", "lasketaan: {0}";
    FromSetting = "the setting {0}", "inställningen {0}", "innstillingen {0}", "asetus {0}";
    SettingOn = "the setting {0} is on", "inställningen {0} är på", "innstillingen {0} er på", "asetus {0} on käytössä";
    SettingOff = "the setting {0} is off", "inställningen {0} är av", "innstillingen {0} er av", "asetus {0} ei ole käytössä";
    SettingAnswered = "the setting {0} is answered", "inställningen {0} är besvarad", "innstillingen {0} er besvart", "asetukseen {0} on vastattu";
    SettingOpen = "the setting {0} is not answered", "inställningen {0} inte är besvarad", "innstillingen {0} ikke er besvart", "asetukseen {0} ei ole vastattu";
    SettingIs = "the setting {0} is {1}", "inställningen {0} är {1}", "innstillingen {0} er {1}", "asetus {0} on {1}";
    SettingIsNot = "the setting {0} is not {1}", "inställningen {0} inte är {1}", "innstillingen {0} ikke er {1}", "asetus {0} ei ole {1}";
    TakenFrom = "from {0}", "från {0}", "fra {0}", "tiedosta {0}";
    Template = "put together: {0}", "sätts samman: {0}", "settes sammen: {0}", "muodostetaan: {0}";
    Joined = "joined, with {0} between them", "slås ihop, med {0} emellan", "slås sammen, med {0} imellom", "yhdistetään, välissä {0}";
    LineBreak = "a line break", "radbrytning", "linjeskift", "rivinvaihto";
    Codes = "{0} = {1}", "{0} = {1}", "{0} = {1}", "{0} = {1}";
    CodesLeave = "other values are left alone", "andra värden lämnas orörda", "andre verdier blir stående", "muut arvot jätetään ennalleen";
    CodesSetting = "by the table of the company", "enligt företagets tabell", "etter selskapets tabell", "yrityksen taulukon mukaan";
    Through = "the linked record of {0}", "den länkade posten i {0}", "den koblede posten i {0}", "linkitetty tietue rekisterissä {0}";
    Waits = "waits until that record is linked", "väntar tills den posten är länkad", "venter til den posten er koblet", "odottaa, kunnes tietue on linkitetty";
    ToText = "as text", "som text", "som tekst", "tekstinä";
    ToInteger = "as a whole number; what is none is set aside", "som heltal; det som inte är det ställs åt sidan", "som heltall; det som ikke er det, settes til side", "kokonaislukuna; muut jätetään sivuun";
    ToDecimal = "as an exact number", "som exakt tal", "som eksakt tall", "tarkkana lukuna";
    ToDate = "the date only", "bara datumet", "bare datoen", "vain päivämäärä";
    Not = "the other way round: yes is no", "omvänt: ja är nej", "omvendt: ja er nei", "käänteisesti: kyllä on ei";
    Negate = "with the other sign", "med omvänt tecken", "med motsatt fortegn", "vastakkaisella etumerkillä";
    Rounded = "rounded to {0} places, half away from zero", "avrundas till {0} decimaler, halvor bort från noll", "avrundes til {0} desimaler, halve bort fra null", "pyöristetään {0} desimaaliin, puolikkaat nollasta poispäin";
    Times = "times {0}", "gånger {0}", "ganger {0}", "kerrottuna {0}";
    Fold = "upper and lower case and spaces do not count as a difference", "skiftläge och mellanslag räknas inte som skillnad", "store og små bokstaver og mellomrom regnes ikke som forskjell", "kirjainkokoa ja välilyöntejä ei lasketa eroksi";
    Digits = "only digits are compared", "bara siffror jämförs", "bare sifre sammenlignes", "vain numeroita verrataan";
    CreateOnly = "only when the record is made", "bara när posten skapas", "bare når posten opprettes", "vain tietuetta luotaessa";
    UpdateOnly = "only when the record exists already", "bara när posten redan finns", "bare når posten finnes fra før", "vain jo olemassa olevaan tietueeseen";
    Never = "records are only found by it", "posterna hittas bara med den", "postene finnes bare med den", "tietueet vain löydetään sillä";
    IfEmpty = "only where the field is empty", "bara där fältet är tomt", "bare der feltet er tomt", "vain tyhjään kenttään";
    When = "only when {0}", "bara när {0}", "bare når {0}", "vain, kun {0}";
    LeaveUnlinked = "left out where that record is not linked", "utelämnas om den posten inte är länkad", "utelates hvis den posten ikke er koblet", "jätetään pois, jos tietuetta ei ole linkitetty";
    LeaveOutside = "left out where that record is not among those that are linked, and waits where it will be", "utelämnas om den posten inte hör till dem som länkas, och väntar om den gör det", "utelates hvis den posten ikke hører til dem som kobles, og venter hvis den gjør det", "jätetään pois, jos tietue ei kuulu linkitettäviin, ja odottaa, jos kuuluu";
    AsideUnlinked = "set aside where that record is not linked", "ställs åt sidan om den posten inte är länkad", "settes til side hvis den posten ikke er koblet", "jätetään sivuun, jos tietuetta ei ole linkitetty";
    CalculatedFrom = "calculated from {0} (see {1})", "beräknas av {0} (se {1})", "beregnes av {0} (se {1})", "lasketaan tiedoista {0} (ks. {1})";
    OnlyToward = "only in the direction {0}", "bara i riktningen {0}", "bare i retningen {0}", "vain suuntaan {0}";
    Otherwise = "else {0}", "annars {0}", "ellers {0}", "muuten {0}";
    Default = "where it is empty: {0}", "om det är tomt: {0}", "hvis det er tomt: {0}", "jos tyhjä: {0}";
    Key = "links the records; must not change afterwards", "länkar posterna; får inte ändras efteråt", "kobler postene; må ikke endres etterpå", "linkittää tietueet; ei saa muuttua jälkikäteen";
    Required = "must be filled in, else the record is set aside", "måste vara ifyllt, annars ställs posten åt sidan", "må være fylt ut, ellers settes posten til side", "pakollinen, muuten tietue jätetään sivuun";
    Clear = "emptied when the other one is emptied", "töms när det andra töms", "tømmes når det andre tømmes", "tyhjennetään, kun toinen tyhjennetään";
    OnlyFor = "only for {0}", "bara för {0}", "bare for {0}", "vain: {0}";
    Truncated = "cut to {0} characters in {1}", "kortas till {0} tecken i {1}", "kortes til {0} tegn i {1}", "lyhennetään {0} merkkiin järjestelmässä {1}";
    Later = "the later change counts", "den senaste ändringen gäller", "den siste endringen gjelder", "myöhempi muutos ratkaisee";
    // settings and checks
    MustAnswer = "must be answered", "måste besvaras", "må besvares", "pakollinen";
    DefaultIs = "default {0}", "förval {0}", "standard {0}", "oletus {0}";
    OneOf = "one of {0}", "något av {0}", "en av {0}", "jokin seuraavista: {0}";
    OneFrom = "one of the values of {0} in {1}", "något av värdena för {0} i {1}", "en av verdiene for {0} i {1}", "jokin kentän {0} arvoista järjestelmässä {1}";
    YesNo = "yes or no", "ja eller nej", "ja eller nei", "kyllä tai ei";
    Text = "text", "text", "tekst", "teksti";
    WholeNumber = "a whole number", "ett heltal", "et heltall", "kokonaisluku";
    ExactNumber = "a number", "ett tal", "et tall", "luku";
    CodeTable = "a table of codes", "en kodtabell", "en kodetabell", "kooditaulukko";
    NamedAs = "{0} ({1})", "{0} ({1})", "{0} ({1})", "{0} ({1})";
    Neither = "{0} (neither way)", "{0} (ingen riktning)", "{0} (ingen retning)", "{0} (ei kumpaankaan suuntaan)";
    ChecksIntro = "All of these are asked before the first write. What does not hold is told in these words; on the first run nothing is written until it is put right.",
        "Allt detta kontrolleras före den första skrivningen. Det som inte stämmer meddelas med dessa ord; vid första körningen skrivs ingenting förrän det är rättat.",
        "Alt dette kontrolleres før første skriving. Det som ikke stemmer, meldes med disse ordene; ved første kjøring skrives ingenting før det er rettet.",
        "Kaikki nämä tarkistetaan ennen ensimmäistä kirjoitusta. Puutteet ilmoitetaan näillä sanoilla; ensimmäisellä ajolla mitään ei kirjoiteta ennen kuin ne on korjattu.";
    Confirm = "A person confirms: {0}", "En person bekräftar: {0}", "En person bekrefter: {0}", "Henkilö vahvistaa: {0}";
    Access = "The user may read every register in {0}; else: {1}", "Användaren får läsa alla register i {0}; annars: {1}", "Brukeren kan lese alle registre i {0}; ellers: {1}", "Käyttäjä saa lukea kaikki rekisterit järjestelmästä {0}; muuten: {1}";
    EachRecord = "For each record of {0} in {1}: {2}", "För varje post i {0} i {1}: {2}", "For hver post i {0} i {1}: {2}", "Jokaiselle rekisterin {0} tietueelle järjestelmässä {1}: {2}";
    // schedule and brakes
    Every = "It runs by itself every {0}; everything is read anew every {1}, in between only what changed.",
        "Den körs av sig själv med {0} mellanrum; allt läses på nytt med {1} mellanrum, däremellan bara det som har ändrats.",
        "Den kjører av seg selv med {0} mellomrom; alt leses på nytt med {1} mellomrom, imellom bare det som er endret.",
        "Ajetaan automaattisesti {0} välein; kaikki luetaan uudelleen {1} välein, muulloin vain muuttuneet tiedot.";
    BrakesAre = "One run makes at most {0} records, changes at most {1} and removes at most {2}. A plan with more is held before the first write, until a person lets it go.",
        "En körning skapar högst {0} poster, ändrar högst {1} och tar bort högst {2}. En plan med fler stoppas före den första skrivningen tills en person släpper fram den.",
        "En kjøring oppretter høyst {0} poster, endrer høyst {1} og fjerner høyst {2}. En plan med flere stoppes før første skriving, til en person slipper den fram.",
        "Yksi ajo luo enintään {0} tietuetta, muuttaa enintään {1} ja poistaa enintään {2}. Suurempi suunnitelma pysäytetään ennen ensimmäistä kirjoitusta, kunnes henkilö vapauttaa sen.";
    SourceEmpty = "A system that is suddenly empty is never taken for \"everything was deleted\".",
        "Ett system som plötsligt är tomt tolkas aldrig som att allt har tagits bort.",
        "Et system som plutselig er tomt, tolkes aldri som at alt er slettet.",
        "Äkillisesti tyhjää järjestelmää ei koskaan tulkita niin, että kaikki olisi poistettu.";
    // situations
    SAbsent = "A record is in one system only", "En post finns bara i det ena systemet", "En post finnes bare i det ene systemet", "Tietue on vain toisessa järjestelmässä";
    AAbsent = "It is made in the other one, if the direction allows", "Den skapas i det andra om riktningen tillåter", "Den opprettes i det andre hvis retningen tillater det", "Se luodaan toiseen, jos suunta sallii";
    SFound = "Exactly one record of the other system matches", "Exakt en post i det andra systemet passar", "Nøyaktig én post i det andre systemet passer", "Täsmälleen yksi toisen järjestelmän tietue vastaa";
    AFound = "The two are linked and compared from then on", "De två länkas och jämförs därefter", "De to kobles og sammenlignes deretter", "Ne linkitetään ja niitä verrataan siitä lähtien";
    SAmbiguous = "More than one matches, or only half of the match", "Fler än en passar, eller bara halva nyckeln", "Mer enn én passer, eller bare halve nøkkelen", "Useampi vastaa, tai vain osa tunnisteesta täsmää";
    AAmbiguous = "The record is set aside, naming the others; it is never guessed", "Posten ställs åt sidan och de andra nämns; ingenting gissas", "Posten settes til side og de andre nevnes; ingenting gjettes", "Tietue jätetään sivuun ja muut nimetään; mitään ei arvata";
    SConflict = "The same field changed in both systems", "Samma fält har ändrats i båda systemen", "Samme felt er endret i begge systemer", "Sama kenttä on muuttunut molemmissa";
    AConflict = "The master's value counts; without a master the record is set aside with both values", "Masterns värde gäller; utan master ställs posten åt sidan med båda värdena", "Masterens verdi gjelder; uten master settes posten til side med begge verdier", "Isäntäjärjestelmän arvo ratkaisee; ilman sitä tietue jätetään sivuun molempine arvoineen";
    SKeyChanged = "The number that links two records was changed", "Numret som länkar två poster har ändrats", "Nummeret som kobler to poster, er endret", "Kahta tietuetta linkittävä numero on muuttunut";
    AKeyChanged = "A serious error on that record: nothing is written to either, nothing is duplicated, nothing else stops", "Ett allvarligt fel på den posten: ingenting skrivs, ingenting dubbleras, inget annat stannar", "En alvorlig feil på posten: ingenting skrives, ingenting dupliseres, ingenting annet stopper", "Vakava virhe kyseisessä tietueessa: kumpaankaan ei kirjoiteta, mitään ei kahdenneta, mikään muu ei pysähdy";
    SSourceMissing = "A linked record was removed", "En länkad post har tagits bort", "En koblet post er fjernet", "Linkitetty tietue on poistettu";
    ASourceMissing = "The other one stays as it is", "Den andra blir kvar som den är", "Den andre blir stående", "Toinen säilyy ennallaan";
    STargetMissing = "The other side of a link is gone", "Den andra sidan av en länk är borta", "Den andre siden av en kobling er borte", "Linkin toinen puoli puuttuu";
    ATargetMissing = "The record is set aside; it is never made again by itself", "Posten ställs åt sidan; den skapas aldrig om av sig själv", "Posten settes til side; den opprettes aldri på nytt av seg selv", "Tietue jätetään sivuun; sitä ei koskaan luoda uudelleen itsestään";
    SOutOfScope = "A linked record does not concern the integration any more", "En länkad post omfattas inte längre", "En koblet post omfattes ikke lenger", "Linkitetty tietue ei enää kuulu integraatioon";
    AOutOfScope = "It is left alone; nothing is removed", "Den lämnas orörd; ingenting tas bort", "Den blir stående; ingenting fjernes", "Se jätetään ennalleen; mitään ei poisteta";
    SWaits = "A record points to another that is not linked yet", "En post pekar på en annan som inte är länkad än", "En post peker på en annen som ikke er koblet ennå", "Tietue viittaa toiseen, jota ei ole vielä linkitetty";
    AWaits = "It waits and goes along by itself later", "Den väntar och följer med senare", "Den venter og blir med senere", "Se odottaa ja siirtyy myöhemmin itsestään";
    SRefused = "A system refuses a value", "Ett system avvisar ett värde", "Et system avviser en verdi", "Järjestelmä hylkää arvon";
    ARefused = "The record is set aside with the system's own words; everything else goes on; it is tried again by itself when it changes", "Posten ställs åt sidan med systemets egna ord; allt annat fortsätter; den prövas igen när den ändras", "Posten settes til side med systemets egne ord; alt annet fortsetter; den prøves igjen når den endres", "Tietue jätetään sivuun järjestelmän omin sanoin; muu jatkuu; sitä yritetään uudelleen, kun se muuttuu";
    SInDoubt = "No answer came to a write", "Inget svar kom på en skrivning", "Det kom ikke svar på en skriving", "Kirjoitukseen ei saatu vastausta";
    AInDoubt = "It is never repeated blindly: the engine looks whether it took effect", "Den upprepas aldrig blint: motorn ser efter om den fick verkan", "Den gjentas aldri blindt: motoren ser etter om den fikk virkning", "Sitä ei koskaan toisteta sokeasti: ensin tarkistetaan, toteutuiko se";
    RNothing = "nothing happens", "ingenting händer", "ingenting skjer", "mitään ei tapahdu";
    RSetAside = "the record is set aside", "posten ställs åt sidan", "posten settes til side", "tietue jätetään sivuun";
    RUnlink = "the link is forgotten", "länken glöms", "koblingen glemmes", "linkki unohdetaan";
    RDelete = "the other record is removed", "den andra posten tas bort", "den andre posten fjernes", "toinen tietue poistetaan";
    // units of time
    Minutes = "{0} minutes", "{0} minuters", "{0} minutters", "{0} minuutin";
    Hours = "{0} hours", "{0} timmars", "{0} timers", "{0} tunnin";
    Seconds = "{0} seconds", "{0} sekunders", "{0} sekunders", "{0} sekunnin";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (String, [&'static str; 4])> {
        let shared = Phrase::ALL.iter().map(|one| (format!("{one:?}"), one.texts()));
        shared.chain(Doc::ALL.iter().map(|one| (format!("{one:?}"), one.texts())))
    }

    #[test]
    fn no_phrase_is_missing_in_a_language() {
        for (phrase, texts) in all() {
            for (text, language) in texts.iter().zip(Language::ALL) {
                assert!(!text.trim().is_empty(), "{phrase} in {language:?}");
            }
            // what is filled in is filled in in every language
            let places =
                |text: &str| (0..4).filter(|n| text.contains(&format!("{{{n}}}"))).collect::<Vec<_>>();
            assert!(texts.iter().all(|text| places(text) == places(texts[0])), "{phrase}");
        }
    }

    #[test]
    fn long_phrases_are_translated() {
        for (phrase, texts) in all() {
            if texts[0].split(' ').count() > 3 && texts[0].len() > 20 {
                assert!(texts[1..].iter().all(|text| *text != texts[0]), "{phrase}");
            }
        }
    }
}
