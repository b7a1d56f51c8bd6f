// oxlint-disable eslint/max-lines -- one table of words, a line each
/**
 * Words of names as they are written in Arabic script, and how Latin script writes them: what the script leaves out is
 * known for the names that many bear. Arabic, Persian, Dari, Pashto and Urdu; one reading a word, the usual one of
 * names. A word whose readings are different names (`ملك`: Malik, Malak) is left to the general rules.
 */
export const abjadWords: readonly (readonly [latin: string, written: readonly string[]])[] = `
al آل
bin بن
ibn ابن
bint بنت
ould ولد
abu أبو
abi أبي
umm أم
abubakr أبوبكر
sheikh شيخ
haji حاجي حجي
hajj حاج
mullah ملا
mawlawi مولوي
maulana مولانا
sayyid سيد
agha آغا آقا
khan خان
shah شاه
mirza ميرزا
hafiz حافظ
qari قاري
amir أمير عامر
doctor دكتور
ustad استاد أستاذ
begum بيگم بيكم
allah الله
abd عبد
abdu عبده
abdullah عبدالله عبدلله
ubayd عبيد
rahman رحمن رحمان
rahim رحيم
rahmat رحمت
karim كريم
aziz عزيز
qadir قادر قدير
malik مالك
hakim حكيم
halim حليم
hamid حامد حميد
majid ماجد مجيد
latif لطيف
jabbar جبار
ghaffar غفار
ghafur غفور
ghani غني
wahid واحد وحيد
wahhab وهاب
salam سلام
samad صمد
sattar ستار
razzaq رزاق
rauf رؤوف رؤف
fattah فتاح
basit باسط
basir بصير
bari باري
haq حق الحق
hadi هادي
hayy حي الحي
zahir ظاهر زاهر ظهير
nur نور
nuri نوري
qayyum قيوم
mannan منان
wadud ودود
muhammad محمد
muhammadi محمدي
ahmad أحمد
ahmadi أحمدي
mahmud محمود
mahmudi محمودي
hammad حماد
hamd حمد
hamdan حمدان
hamdi حمدي
ali علي
alawi علوي
hassan حسن
hasani حسني
hassan حسان
hussein حسين
husseini حسيني
muhsin محسن
ihsan إحسان
tahsin تحسين
umar عمر
amr عمرو
uthman عثمان عثمن
khalid خالد
khalidi خالدي
khalil خليل
khalaf خلف
khalifa خليفة
khamis خميس
ibrahim إبراهيم إبرهيم
ibrahimi إبراهيمي
ismail إسماعيل إسماعل
ismaili إسماعيلي
ishaq إسحاق إسحق
yaqub يعقوب
yusuf يوسف
yusufi يوسفي
yunus يونس
yahya يحيى
yasin ياسين
yasir ياسر
ayyub أيوب
dawud داود داوود
sulayman سليمان سليمن
musa موسى
musawi موسوي
isa عيسى
idris إدريس
ilyas إلياس
harun هارون هرون
zakariya زكريا
nuh نوح
hud هود
lut لوط
adam آدم
maryam مريم
mustafa مصطفى
murtada مرتضى
mujtaba مجتبى
radi رضي راضي
ridwan رضوان
said سعيد
saidi سعيدي
saad سعد
saadi سعدي
saud سعود
masud مسعود
masudi مسعودي
saif سيف
saleh صالح
salehi صالحي
salah صلاح
salim سالم سليم
salman سلمان
salmani سلماني
salama سلامة
sultan سلطان
sabir صابر
sabri صبري
sadiq صادق
sadiqi صادقي
siddiq صديق
siddiqi صديقي
samir سمير
sami سامي
samih سميح
saqr صقر
shafiq شفيق
shafi شافعي شفيع
sharif شريف شريفي
shakir شاكر
shukri شكري
shihab شهاب
shahin شاهين
tariq طارق
tahir طاهر
tahiri طاهري
taha طه
talib طالب
talal طلال
tawfiq توفيق
tayyib طيب
turki تركي
walid وليد
wali والي
zayd زيد
zaydan زيدان
zayn زين
zaki زكي
zubayr زبير
ziyad زياد
zuhayr زهير
qasim قاسم
qasimi قاسمي
kazim كاظم
kadhimi كاظمي
kamal كمال
kamil كامل
karam كرم
jabir جابر
jabr جبر
jafar جعفر
jafari جعفري
jalal جلال
jalil جليل
jamal جمال
jamil جميل
jasim جاسم
jawad جواد
jihad جهاد
jumah جمعة
habib حبيب
hafsa حفصة
haidar حيدر
haidari حيدري
hisham هشام
hashim هاشم
hashimi هاشمي
haitham هيثم
hilal هلال
hatim حاتم
harith حارث
hani هاني
huda هدى
fadil فاضل
fadl فضل
fahd فهد
fahim فهيم
faisal فيصل
faraj فرج
farid فريد
faris فارس
faruq فاروق
fathi فتحي
fatima فاطمة
fawzi فوزي
fuad فؤاد
ghassan غسان
ghazi غازي
ghulam غلام
ghalib غالب
gul گل
imad عماد
imran عمران
iqbal إقبال
iyad إياد
izzat عزت
azzam عزام
adil عادل
adnan عدنان
alam عالم
alaa علاء
aqil عقيل
arif عارف
asim عاصم
atiq عتيق
atif عاطف
aisha عائشة
akram أكرم
amin أمين
amina أمينة
anwar أنور
anas أنس
asad أسد
asadi أسدي
ashraf أشرف
aws أوس
ayman أيمن
akbar أكبر
akbari أكبري
asghar أصغر
afghani أفغاني
badr بدر
bakr بكر
bakri بكري
bilal بلال
bashir بشير
bassam بسام
basim باسم
baqir باقر
baqiri باقري
burhan برهان
uddin الدين
din دين
dawlat دولت
nasir ناصر نصير
nasr نصر
nasiri ناصري
nabil نبيل
nadir نادر
naif نايف
naim نعيم
najib نجيب
najm نجم
nizar نزار
nizam نظام
numan نعمان
nimr نمر
marwan مروان
mahdi مهدي
mahfuz محفوظ
majd مجد
mansur منصور
mansuri منصوري
maruf معروف
mazin مازن
mubarak مبارك
muin معين
mukhtar مختار
mumin مؤمن
munir منير
murad مراد
muslim مسلم
musab مصعب
mutassim معتصم
muawiya معاوية
muayyad مؤيد
muhyi محيي محي
miqdad مقداد
misbah مصباح
mushtaq مشتاق
muzaffar مظفر
rashid راشد رشيد
rashidi رشيدي راشدي
rafiq رفيق
rafi رافع
raid رائد
rajab رجب
ramadan رمضان
rami رامي
ramzi رمزي
rasul رسول
riyad رياض
usama أسامة
uday عدي
qusay قصي
saddam صدام
tikriti تكريتي
baghdadi بغدادي
basri بصري
masri مصري
iraqi عراقي
shami شامي
suri سوري
halabi حلبي
dimashqi دمشقي
lubnani لبناني
filistini فلسطيني
urduni أردني
yamani يماني يمني
hijazi حجازي
najdi نجدي
kuwaiti كويتي
libi ليبي
tunisi تونسي
jazairi جزائري
maghribi مغربي
sudani سوداني
turkmani تركماني
kurdi كردي
khorasani خراساني
isfahani أصفهاني
tehrani تهراني طهراني
shirazi شيرازي
tabrizi تبريزي
qumi قمي
kabuli كابلي
peshawari پشاوري
hindi هندي
bukhari بخاري
ansari أنصاري
muhajir مهاجر
qurashi قرشي
qureshi قريشي
dulaymi دليمي
jubouri جبوري
shammari شمري
tamimi تميمي
zawahiri ظواهري
zarqawi زرقاوي
janabi جنابي
obeidi عبيدي
rawi راوي
samarrai سامرائي
hakimi حكيمي
karimi كريمي
rahimi رحيمي
rahmani رحماني
hamidi حميدي
nazari نظري
rezaei رضائي
soleimani سليماني
shamkhani شمخاني
khamenei خامنه‌اي خامنئي
rouhani روحاني
tavakoli توكلي
bahram بهرام
bahman بهمن
bijan بيژن
behzad بهزاد
dariush داريوش
farhad فرهاد
faramarz فرامرز
fereydoun فريدون
ardeshir أردشير
esfandiar إسفنديار
hushang هوشنگ
iraj إيرج
jamshid جمشيد
kamran كامران
kaveh كاوه
khosrow خسرو
kourosh كورش كوروش
manouchehr منوچهر
mehran مهران
mehrdad مهرداد
omid أميد
parviz پرويز
payam پيام
reza رضا
rostam رستم
shahram شهرام
sohrab سهراب
siamak سيامك
zahra زهراء
zainab زينب
layla ليلى
bushra بشرى
lubna لبنى
muna منى
salwa سلوى
najwa نجوى
yusra يسرى
kubra كبرى
salma سلمى
nasrin نسرين
parvin پروين
shirin شيرين
khadija خديجة
safiya صفية
sumaya سمية
ruqayya رقية
abbas عباس
abbasi عباسي
aftab آفتاب
akhtar اختر
akhund آخوند
amjad أمجد
arshad أرشد
asif آصف
aslam أسلم
azhar أظهر أزهر
bashar بشار
fayez فايز
hafiz حفيظ
hamza حمزة
hussam حسام
ijaz إعجاز
jan جان
javed جاويد
junaid جنيد
kashif كاشف
maher ماهر
nadim نديم
nasim نسيم
naveed نويد
rehan ريحان
sajid ساجد
sarwar سرور
shahid شاهد شهيد
shakil شكيل
shawkat شوكت
suhail سهيل
talha طلحة
thabit ثابت
wasim وسيم
zada زاده
zafar ظفر
afghanistan أفغانستان
ansar أنصار
dawla دولة
harakat حركة
iraq عراق
islami إسلامي
islamiyya إسلامية
jabhat جبهة
jaish جيش
jamaat جماعة
jamiat جمعية
lashkar لشكر
mujahidin مجاهدين
nusra نصرة
pakistan پاكستان باكستان
qaida قاعدة
sharia شريعة
shura شورى
taliban طالبان
tehrik تحريك
`
  .trim()
  .split('\n')
  .map((line) => {
    const [latin, ...written] = line.trim().split(' ');
    return [latin!, written];
  });
