/** Words in persons' names that are no names of their own, and names that are spellings of each other. */

/** Before or after a name: weigh almost nothing. */
export const titles: readonly string[] =
  `mr mister mrs ms miss mx madam madame mme monsieur messieurs sir dame lord lady dr doctor doktor prof
professor phd md esq esquire jr junior sr senior snr ii iii iv herr frau senor senora senorita don dona signor signora dott dottore dottoressa ing
eng engineer hon honourable honorable excellency majesty highness hrh president prasident vice prime minister general gen lieutenant lt colonel col
major maj captain capt sergeant sgt commander cmdr admiral brigadier marshal rear chief director chairman chairwoman chair ambassador rev reverend
father bishop archbishop pastor prince princess king queen count countess baron baroness emir amir imam ayatollah hojjatoleslam hujjat mawlana
maulana mullah mulla maulvi maulavi mawlawi molvi moulavi mufti qari hafiz hafez sheikh shaikh shaykh sheik cheikh haji hajji hadji alhaj alhaji
hajj ustad ostad gospodin gospozha pan pani comrade mstr engr adv advocate judge justice senator deputy governor mayor secretary`.split(
    /\s+/,
  );

/** Titles that are often a name as well: weigh more than a title, less than a name. */
export const softTitles: readonly string[] =
  'haji hajji mullah mawlawi sheikh shaikh shaykh sayyid sayed seyed syed sayyed seyyed said said sidi agha aqa khan begum bibi hafiz amir emir malik mir shah prince major king don pan judge justice dean'.split(
    ' ',
  );

/** Particles of family names and patronymics. */
export const particles: readonly string[] =
  `al el ul ur ud un as ash ad an ar az at il ol bin ibn ben bint binti binte bte ould oud ag ait u
de da do di du del dela della delle degli dei das dos des der den ter ten te van von vom zu zur zum la le les lo los las y e i af av ap ab mac mc o st
bar bat ha na ni nic ye wa wal va und and`.split(/\s+/);

/** A father's or child's name in an Arabic by-name follows: `Abu Ali`. */
export const kunyas: readonly string[] = 'abu abou abi abo aboo umm um oum umu'.split(' ');

/** Names borne by so many that they tell little: weigh less. */
export const commonNames: readonly string[] =
  `muhammad ahmad ali hassan hussein abdul abdullah abd omar khalid ibrahim mahmud said yusuf khan
mustafa saleh salim ismail abdulrahman abdulaziz kim ri pak jong li wang zhang chen liu nguyen singh kumar jose juan carlos luis maria garcia rodriguez
gonzalez hernandez lopez martinez perez sanchez ivan sergey vladimir alexander andrey dmitriy nikolai mikhail igor oleg yuriy viktor aleksandrovich
vladimirovich sergeevich nikolaevich ivanovich john david michael james robert william thomas shah jean pierre mohd`.split(
    /\s+/,
  );

/**
 * Spellings of one name that differ by more than a transliteration habit: one line a name. Equal to each other in
 * every position.
 */
export const spellings: readonly (readonly string[])[] = `
muhammad mohammed mohamed mohammad muhammed mohamad muhamad mohamud mahomed mohd muhd md mahamat mamadou magomed mukhammad mukhamed muxammad mehmed mehmet mohammadi mehemmed mahammad
ahmad ahmed ahmet achmad akhmad akhmed akhmet amadou axmed ahmadou
abdul abd abdel abdal abdol abdou abdoul abdu
abdullah abdallah abdulla abdalla abdollah abdoulaye abdullahi abdulahi
abdulrahman abdurrahman abdelrahman abdurahman abdirahman abderrahmane abdrahman abdulrehman abdorrahman
abdulaziz abdelaziz abdolaziz abdilaziz
abu abou abo aboo abi
hassan hasan hassane hasson
hussein hussain hossein husain husayn hosein houssein hussien huseyin husein khusein gusein hussin husseyn hossain hosain hocine khuseyn
yusuf youssef yousef yousuf yusef yusof youssouf yussuf iusuf yosef josef yousif
omar umar omer umer oumar
othman usman osman uthman ousmane othmane
khalid khaled halid khaleed
said saeed saeid sayeed saed saiyid sa-id saiid
sayyid sayed seyed syed sayyed seyyed seyid sayid seyit
qasim kassem qassem kasim qasem ghasem gasim kassim gassem qassim kazem kazim kadhim
mahmud mahmoud mahmood makhmud
jamal gamal djamal cemal dzhamal
jafar jaafar gafar djaafar cafer jaffar
jalal celal galal djalal
sharif cherif shareef sherif serif charif
sheikh shaikh shaykh sheik cheikh sheykh sheekh
saif sayf seif saifullah-
haidar haydar heydar hayder haider
qasimi qasemi qassemi qasmi kasmi gasmi ghasemi kassimi
reza rida ridha riza reda redha
murtada murtaza mortaza morteza murtadha mortada
ridwan rizwan redouane radwan rezwan redwan ridvan
ramadan ramazan ramzan ramadhan
riyad riad riyadh riadh riaz riyaz reyaz
zada zadeh zadah zade
fadl fazl fadhl fazal
fadil fazil fazel fadhil fadel
dawud daoud dawood daud davoud davud dawoud
haitham haytham haisam haysam
harith hares haris
muawiya muawia moaviyeh
ubayd obeid ubaid obaid obayd
faisal faysal feisal fayssal faycal
sulaiman suleiman soleiman sulayman sulejman souleymane suleyman soliman solaiman
ismail ismael ismaeel esmail esmaeil esmaeel ismayil
ishaq ishak isaac eshaq
yahya yahia yehia jahja
mustafa mostafa moustafa mustapha moustapha mustafo
moussa musa mousa musse moosa
nasir nasser naser nasr nassir
rashid rasheed rachid rashed raschid
tariq tarek tarik tareq
walid waleed oualid valid
zaid zayd zeid zayed ziad zeyad
aisha aicha ayesha aysha ayse aishah
fatima fatma fatimah fatemeh fatimeh fadma
khadija khadijah khadidja hatice khadijeh
ud-din eddine uddin aldin addin eldin aldine udin edine deen din dine eddin eddeen
haq haqq hak haque hagh hoq
qadir kader qader kadir ghader abdulqadir-
gaddafi qadhafi qaddafi kadafi gadhafi kaddafi gheddafi qathafi qadafi khadafi
alexander aleksandr alexandr oleksandr aliaksandr aleksander alexandre aleksandar alyaksandr oleksander
alexei aleksey alexey aleksei oleksii oleksiy aliaksei alyaksey alexej
andrei andrey andrii andriy andrej andriej
anatoly anatoliy anatoli anatolii anatolij
arkady arkadiy arkadii arkadi
dmitry dmitri dmitriy dmitrii dmytro dzmitry dimitri dimitry dimitriy dmitrij
evgeny yevgeny evgeniy yevgeniy evgeni yevgeni evgenii yevgenii yevhen evhen yauhen jevgeni evgenij yevgen
gennady gennadiy gennadi henadz hennadiy gennadii
georgy georgiy georgi heorhii georgii
grigory grigori grigoriy hryhorii ryhor grigorii hryhoriy
igor ihor ihar
ivan ivane
mikhail mihail mykhailo mikhailo mihails michail mykhaylo mikhaylo
nikolai nikolay mykola mikalai nikolaj nikolaus- mikola
oleg oleh aleh
pavel pavlo pavlov- pawel
pyotr petr petro piotr pjotr
roman raman
sergei sergey serhiy serhii siarhei sergej sergi siarhey serguei serhij sergiy sergii
stanislav stanislau
vasily vasiliy vasili vasyl vasil vasilii
viktor victor viktar
vitaly vitaliy vitali vitalii
vladimir volodymyr uladzimir wladimir vladimirs volodimir
vladislav vladyslav uladzislau wladyslaw
vyacheslav viacheslav vjaceslav viachaslau vyacheslau
yaroslav iaroslav jaroslav jaroslaw
yuri yury yuriy iurii yurii juri iuri jurij
yulia julia iuliia yuliya yuliia juliya
natalia natalya nataliya nataliia natallia natalja
olga olha volha
elena yelena olena helena- alena yalena
ekaterina yekaterina kateryna katsiaryna katerina
tatiana tatyana tetiana tatsiana tetyana
kim gim
ri lee yi rhee li-
pak park bak
choe choi
jong jung chung jeong chong
jo cho
ryu yu yoo ryoo
yun yoon
kang gang
chol cheol chul
hyok hyeok hyuk
`
  .trim()
  .split('\n')
  .map((line) =>
    line
      .trim()
      .split(/\s+/)
      .filter((name) => !name.endsWith('-'))
      .map((name) => name.replaceAll('-', '')),
  );

/** Short and pet forms: the first is the full name, the others stand for it. A short form may have several. */
export const nicknames: readonly (readonly string[])[] = `
robert bob rob robbie bobby bert
richard dick rick ricky rich richie
william bill will billy willy liam
timothy tim timmy
edward ed eddie ted teddy ned
theodore theo ted teddy
andrew andy drew
samuel sam sammy
samantha sam
alexander alex alec sasha sascha lex
alexandra alex sasha lexi
raymond ray
kenneth ken kenny
benjamin ben benny bibi benji
benedict ben
gregory greg
lawrence larry laurence
ronald ron ronnie
anthony tony
joshua josh
rebecca becky becca
christopher chris kit
christian chris
christine chris tina chrissy
charles charlie chuck chas
daniel dan danny
david dave davy
deborah debbie deb debra
eleanor ellie nora
frederick fred freddie freddy
jessica jess jessie
john jack johnny jon
james jim jimmy jamie
jonathan jon jonny
elizabeth liz lizzie beth betty eliza lisa
margaret maggie meg peggy marge
matthew matt mathew
maximilian max
michael mike mick mickey micky
nicholas nick nicky nicolas
patrick pat paddy
patricia pat patty trish
peter pete
stephen steve steven stevie
susan sue susie suzanne
thomas tom tommy
wesley wes
katherine kate kathy katie cathy catherine kathryn
joseph joe joey
gerald gerry jerry
jeremiah jerry
jeffrey jeff geoff geoffrey
leonard leo len lenny
leonid lenya
francis frank
franklin frank
albert al bert
alfred fred alf
harold harry hal
henry harry hank
vincent vince vinny
zachary zach zack
philip phil phillip
donald don donnie
douglas doug
eugene gene
walter walt wally
victoria vicky vicki
jennifer jen jenny
jacob jake
nathan nate
nathaniel nate nat
francisco paco pancho kiko
jose pepe
manuel manolo manny
jesus chucho
guillermo memo
enrique quique
eduardo lalo edu
roberto beto
alberto beto
rafael rafa
ignacio nacho
guadalupe lupe
giuseppe beppe peppe
johannes hans johann
friedrich fritz
josef sepp
vladimir vova volodya vlad
vladislav vlad
dmitry dima mitya
mikhail misha
nikolai kolya
ivan vanya
alexei alyosha lyosha
sergei seryozha
yevgeny zhenya
pavel pasha
grigory grisha
anatoly tolya
boris borya
konstantin kostya
maria masha mary
natalia natasha
tatiana tanya
ekaterina katya
anna anya
elena lena
olga olya
mustafa mosi
`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));

/** Names of men whose women's form is another word (a trailing vowel alone is seen without a table). */
export const genderedPairs: readonly (readonly [string, string])[] =
  `michel:michelle daniel:danielle gabriel:gabrielle paul:pauline
paul:paula robert:roberta carl:carla mario:maria angelo:angela andre:andrea andrew:andrea alexander:alexandra julian:juliana christian:christiane
christian:christine martin:martina victor:victoria frank:franka simon:simone stephan:stephanie louis:louise justin:justine henri:henriette
francis:frances joseph:josephine george:georgia claude:claudia marcel:marcelle denis:denise jean:jeanne jan:jana ivan:ivana dario:daria
julio:julia claudio:claudia antonio:antonia fernando:fernanda francisco:francisca mariano:mariana luis:luisa jose:josefa valentin:valentina
evgeny:evgenia yevgeny:yevgenia vladislav:vladislava stanislav:stanislava yaroslav:yaroslava jamil:jamila karim:karima nabil:nabila rashid:rashida said:saida
salim:salima amin:amina khalid:khalida walid:walida latif:latifa hamid:hamida majid:majida farid:farida nadir:nadira`
    .split(/\s+/)
    .map((pair) => pair.split(':') as [string, string]);
