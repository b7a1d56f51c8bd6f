/**
 * Country names, the other names lists and customers use for them, and their demonyms, to ISO 3166-1 alpha-2.
 * One line a country: code, then the spellings, in lower case and without marks.
 */
const TABLE = `
AD andorra|andorran
AE united arab emirates|uae|u.a.e.|emirates|emirati|dubai|abu dhabi|sharjah
AF afghanistan|afghan|islamic republic of afghanistan
AG antigua & barbuda|antigua and barbuda|antigua
AI anguilla
AL albania|albanian
AM armenia|armenian
AO angola|angolan
AR argentina|argentine|argentinian
AS american samoa
AT austria|austrian|osterreich|autriche
AU australia|australian
AW aruba
AX aland islands
AZ azerbaijan|azerbaijani|azerbaidzhan
BA bosnia & herzegovina|bosnia and herzegovina|bosnia-herzegovina|bosnia|bosnian|bosna i hercegovina
BB barbados
BD bangladesh|bangladeshi
BE belgium|belgian|belgique|belgie|belgien
BF burkina faso|burkinabe
BG bulgaria|bulgarian
BH bahrain|bahraini
BI burundi|burundian
BJ benin|beninese
BM bermuda
BN brunei|brunei darussalam
BO bolivia|bolivian|bolivia (plurinational state of)
BQ bonaire
BR brazil|brazilian|brasil|bresil
BS bahamas|the bahamas
BT bhutan
BW botswana
BY belarus|belarusian|byelorussia|belorussia|republic of belarus|belorus
BZ belize|belizean
CA canada|canadian
CD congo - kinshasa|democratic republic of the congo|democratic republic of congo|congo, democratic republic of the|dr congo|drc|congolese (drc)|congo (democratic republic of the)|zaire
CF central african republic
CG congo - brazzaville|republic of the congo|congo, republic of the|congo-brazzaville|congo|congolese
CH switzerland|swiss|schweiz|suisse|svizzera
CI cote d'ivoire|ivory coast|ivorian|cote divoire
CK cook islands
CL chile|chilean
CM cameroon|cameroonian|cameroun
CN china|chinese|people's republic of china|prc|p.r.c.|mainland china
CO colombia|colombian
CR costa rica|costa rican
CU cuba|cuban
CV cape verde|cabo verde
CW curacao
CY cyprus|cypriot
CZ czechia|czech republic|czech|cesko
DE germany|german|deutschland|allemagne|federal republic of germany
DJ djibouti|djiboutian
DK denmark|danish|danmark
DM dominica
DO dominican republic
DZ algeria|algerian|algerie
EC ecuador|ecuadorian
EE estonia|estonian|eesti
EG egypt|egyptian
EH western sahara
ER eritrea|eritrean
ES spain|spanish|espana|espagne
ET ethiopia|ethiopian
FI finland|finnish|suomi
FJ fiji|fijian
FK falkland islands
FM micronesia
FO faroe islands
FR france|french|frankreich
GA gabon|gabonese
GB united kingdom|united kingdom of great britain and northern ireland|uk|u.k.|great britain|britain|british|england|english|scotland|wales|northern ireland
GD grenada
GE georgia|georgian
GG guernsey
GH ghana|ghanaian
GI gibraltar
GL greenland
GM gambia|the gambia|gambian
GN guinea|guinean
GQ equatorial guinea
GR greece|greek|hellas|hellenic
GT guatemala|guatemalan
GU guam
GW guinea-bissau|guinea bissau|bissau-guinean
GY guyana|guyanese
HK hong kong sar china|hong kong|hongkong
HN honduras|honduran
HR croatia|croatian|hrvatska
HT haiti|haitian
HU hungary|hungarian|magyarorszag
ID indonesia|indonesian
IE ireland|irish|eire
IL israel|israeli
IM isle of man
IN india|indian
IQ iraq|iraqi|republic of iraq
IR iran|iranian|iran (islamic republic of)|islamic republic of iran|iran, islamic republic of|persia|persian
IS iceland|icelandic
IT italy|italian|italia
JE jersey
JM jamaica|jamaican
JO jordan|jordanian|hashemite kingdom of jordan
JP japan|japanese|nippon
KE kenya|kenyan
KG kyrgyzstan|kyrgyz republic|kyrgyz|kirghiz|kirgizstan
KH cambodia|cambodian
KI kiribati
KM comoros|comoran
KN st. kitts & nevis|saint kitts and nevis|st. kitts and nevis
KP north korea|korea, dem. people's rep.|korea, north|democratic people's republic of korea|dprk|north korean|korea (democratic people's republic of)
KR south korea|korea, south|republic of korea|south korean|korea (republic of)|korea|korean
KW kuwait|kuwaiti
KY cayman islands
KZ kazakhstan|kazakh|kazakhstani
LA laos|lao|lao people's democratic republic
LB lebanon|lebanese
LC st. lucia|saint lucia
LI liechtenstein
LK sri lanka|sri lankan
LR liberia|liberian
LS lesotho
LT lithuania|lithuanian|lietuva
LU luxembourg
LV latvia|latvian|latvija
LY libya|libyan|libyan arab jamahiriya|state of libya
MA morocco|moroccan|maroc
MC monaco
MD moldova|moldovan|republic of moldova|moldavia
ME montenegro|montenegrin
MG madagascar
MH marshall islands
MK north macedonia|north macedonia, the republic of|macedonia|macedonian|the former yugoslav republic of macedonia
ML mali|malian
MM myanmar (burma)|myanmar|burma|burmese
MN mongolia|mongolian
MO macao sar china|macau|macao
MR mauritania|mauritanian
MT malta|maltese
MU mauritius|mauritian
MV maldives|maldivian
MW malawi
MX mexico|mexican
MY malaysia|malaysian
MZ mozambique
NA namibia|namibian
NC new caledonia
NE niger|nigerien
NG nigeria|nigerian
NI nicaragua|nicaraguan
NL netherlands|the netherlands|dutch|holland|nederland
NO norway|norwegian|norge
NP nepal|nepalese|nepali
NR nauru
NU niue
NZ new zealand|new zealander
OM oman|omani
PA panama|panamanian
PE peru|peruvian
PF french polynesia
PG papua new guinea
PH philippines|the philippines|filipino|philippine
PK pakistan|pakistani|islamic republic of pakistan
PL poland|polish|polska
PR puerto rico
PS palestinian territories|palestine|palestinian|state of palestine|west bank|gaza|region: gaza
PT portugal|portuguese
PW palau
PY paraguay|paraguayan
QA qatar|qatari
RE reunion
RO romania|romanian|rumania
RS serbia|serbian|serbia and montenegro|yugoslavia|srbija
RU russia|russian|russian federation|the russian federation|rossiya|rossiia|rossiya federatsiyasi|russie|rf
RW rwanda|rwandan
SA saudi arabia|saudi|saudi arabian|kingdom of saudi arabia|ksa
SB solomon islands
SC seychelles
SD sudan|sudanese|the sudan
SE sweden|swedish|sverige
SG singapore|singaporean
SI slovenia|slovenian|slovenija
SK slovakia|slovak|slovensko
SL sierra leone
SM san marino
SN senegal|senegalese
SO somalia|somali
SR suriname
SS south sudan|south sudanese
ST sao tome & principe|sao tome and principe
SV el salvador|salvadoran
SY syria|syrian|syrian arab republic
SZ eswatini|swaziland
TC turks & caicos islands|turks and caicos islands
TD chad|chadian
TG togo|togolese
TH thailand|thai
TJ tajikistan|tajik|tadjikistan
TL timor-leste|east timor
TM turkmenistan|turkmen
TN tunisia|tunisian|tunisie
TO tonga
TR turkiye|turkey|turkish
TT trinidad & tobago|trinidad and tobago|trinidad
TV tuvalu
TW taiwan|taiwanese
TZ tanzania|tanzanian|united republic of tanzania
UA ukraine|ukrainian|ukraina|ukrayina
UG uganda|ugandan
US united states|united states of america|usa|u.s.a.|u.s.|american|america
UY uruguay|uruguayan
UZ uzbekistan|uzbek|uzbekistani
VA vatican city|holy see
VC st. vincent & grenadines|saint vincent and the grenadines|st. vincent and the grenadines
VE venezuela|venezuelan|venezuela (bolivarian republic of)|bolivarian republic of venezuela
VG british virgin islands|virgin islands, british|bvi
VI u.s. virgin islands|virgin islands, u.s.
VN vietnam|viet nam|vietnamese
VU vanuatu
WS samoa
XK kosovo|kosovar
YE yemen|yemeni|republic of yemen
ZA south africa|south african
ZM zambia|zambian
ZW zimbabwe|zimbabwean
`;

const CODE_BY_NAME = new Map<string, string>();
const CODES = new Set<string>();
const SPELLINGS: [code: string, spelling: string][] = [];
for (const line of TABLE.trim().split('\n')) {
  const code = line.slice(0, 2);
  CODES.add(code);
  for (const spelling of line.slice(3).split('|')) {
    CODE_BY_NAME.set(spelling, code);
    SPELLINGS.push([code, spelling]);
  }
}

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[‘’`´]/g, "'")
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim();

/** ISO 3166-1: each word is an alpha-2 code and its alpha-3 code. */
const ALPHA_3 = `
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH BBBRB BDBGD
BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN
CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU
DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB
GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG
HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN
KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU
LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR
MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL
OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB
RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP
SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN
TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM XKXKX YEYEM YTMYT
ZAZAF ZMZMB ZWZWE`;
const CODE_BY_ALPHA_3 = new Map(
  ALPHA_3.trim()
    .split(/\s+/)
    .map((pair) => [pair.slice(2), pair.slice(0, 2)]),
);

/** ISO alpha-2 code of a country, nationality or code (of two or three letters); undefined when we know no such one. */
export const countryCode = (text: string): string | undefined =>
  shortOrSpelled(text) ?? CODE_BY_ALPHA_3.get(text.trim().toUpperCase());

function shortOrSpelled(text: string): string | undefined {
  const value = plain(text);
  const code = value.toUpperCase();
  if (code.length === 2 && CODES.has(code)) return code;
  return CODE_BY_NAME.get(value) ?? CODE_BY_NAME.get(value.replace(/^the /, ''));
}

/** The country at the end of a place: `Kerman, Iran (Islamic Republic of)` gives `IR`; three letters may be a region's. */
export function countryOfPlace(place: string): string | undefined {
  const parts = place.split(/[,;](?![^(]*\))/);
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    const part = parts[at]!.trim().replace(/\.$/, '');
    if (part.length === 2) continue;
    const code = shortOrSpelled(part) ?? shortOrSpelled(/\((?:now )?([^)]+)\)/.exec(part)?.[1] ?? '');
    if (code !== undefined) return code;
    const bracket = part.indexOf('(');
    const before = bracket > 0 ? shortOrSpelled(part.slice(0, bracket)) : undefined;
    if (before !== undefined) return before;
  }
  return undefined;
}

/** Every spelling with its code, for tables built on top of this one. */
export const countrySpellings: readonly (readonly [code: string, spelling: string])[] = SPELLINGS;
