/**
 * Words that say what an organisation does or is rather than which one it is. One line a concept: its name, then the
 * words for it in the languages lists are written in. They are compared as the concept, and weigh less than the words
 * that tell one organisation from another.
 */
const GENERIC = `
group grp gruppe groupe grupo gruppo groep grup gruppa Группа Группы konzern koncern concern Концерн kontsern مجموعة 集团 集團 guruh
holding holdings Холдинг kholding holdinq
international intl int internacional internationale internazionale Международный Международная Международное mezhdunarodnyy mezhdunarodnaya uluslararasi beynelmilel 国际
national natl nacional nationale nazionale nationaal Национальный Национальная Национальное natsionalnyy natsionalnaya milli vatani melli
general generale generales Генеральный allgemeine
trading trade trades comercio commerce commercial comercial handel handels ticaret torgovyy Торговый Торговая Торговля torgovaya tijarat tijari bazargani bazarganni تجارت بازرگانی 贸易 貿易 tejarat tejari
trading-house torgovyydom Торгдом
services service servicios servicio serviços servico dienstleistungen dienste Сервис servis Услуги xidmet hizmetleri hizmet khadamat خدمات
industries industry industrial industrie industria industrias industriel industriale Промышленность Промышленный Промышленная promyshlennyy promyshlennaya promyshlennost sanayi sanayii sanaye sanayeh senayi sanati sanayi صنایع 工业 industrielle
enterprise enterprises entreprise entreprises empresa empresas impresa Предприятие predpriyatie predpriiatie predpriyatiye Підприємство pidpryiemstvo unternehmen isletmesi isletmeleri 企业
factory factories fabrika fabrik fabrica fabrique Фабрика plant plants Завод zavod zavody kombinat Комбинат werk werke karkhane mill mills works
center centre centro zentrum centrum Центр tsentr merkezi markaz 中心
institute institut instituto istituto Институт Інститут institutet enstitusu 研究所
institution Учреждение uchrezhdenie uchrezhdeniye
organization organisation org organizacion organizzazione Организация organizatsiya organizatsiia Організація sazman sazeman سازمان munazzama منظمة teskilati
association assoc assn associacion asociacion associazione associacao Ассоциация assotsiatsiya Объединение obedinenie obyedinenie Обєднання verband union unions Союз soyuz sindicato syndicate birligi
management mgmt managers gestion gestione gerencia Управление upravlenie upravleniye yonetim verwaltung administration admin
investment investments invest investing inversiones inversion investissement investissements investimentos investimento Инвестиции Инвестиционный Инвестиционная investitsionnaya investitsii Инвест yatirim sarmayegozari sarmaye 投资
capital kapital Капитал
finance financial finances finans finanz financiera financiero financiere Финанс Финансовый Финансовая finansovaya maliyye mali 金融
bank banking banka banque banco banca banken bankasi Банк bancorp بانک بنك 银行 銀行
insurance versicherung versicherungs assurance assurances seguros assicurazioni Страхование Страховая strakhovaya sigorta bimeh takaful 保险
fund funds fonds fondo fundo fond Фонд sandogh sanduq
trust trusts trustees treuhand
partners partner partnership partners Партнер Партнеры
associates associés
brothers bros freres fratelli hermanos Братья
sons son fils hijos figli sohne
construction constructions construccion construcciones costruzioni construtora bau Строительство Строительный Строительная stroitelnaya stroitelnyy stroy Строй insaat sakhteman sakhtemani 建设 建筑
engineering engineers ingenieria ingegneria ingenieur Инжиниринг inzhiniring muhendislik mohandesi mohandesin 工程
technology technologies tech technologie tecnologia tecnologias tecnologie technological Технология Технологии Технологий tekhnologii tekhnologiya teknoloji fanavari 科技 技术 technics Техника tekhnika technical Технический tekhnicheskiy
systems system systeme sistemas sistema sistemi Система Системы Систем sistemy sistem sistemleri
solutions solution soluciones soluzioni losungen Решения resheniya
electronics electronic electronica elektronik elektronika Электроника Электронный electronique elektronik 电子
electric electrical electricity elektro electro elektrik Электро Электрический electrotechnical elektrotekhnicheskiy bargh
energy energies energie energia energiya Энергия Энергетика Энергетический energetika enerji Энерго energo nirou niru
power
oil petroleum petrol petroleo neft Нефть Нефтяной Нефтяная neftyanaya naft petrolera petrolier 石油
gas gaz Газ Газовый
refinery refining raffinerie refineria Нефтеперерабатывающий palayesh pala 炼油
petrochemical petrochemicals petrochemie petroquimica Нефтехимический petroshimi
chemical chemicals chemie chemistry quimica chimica Химический Химическая khimicheskiy kimya shimi 化工 化学
metal metals metallurgy metallurgical Металл Металлургический metallurgicheskiy
steel stahl Сталь acero foulad fulad
mining mines mineral minerals minera minerals bergbau Горный Горнодобывающий maden madan 矿业
machine machinery machines maschinen maschinenbau machine-building machinebuilding Машиностроительный Машиностроение Машиностроительная mashinostroitelnyy mashinostroitelnaya makina machinerie makine 机械
instrument-making instrumentmaking Приборостроительный Приборостроение priborostroitelnyy priborostroitelniy
shipbuilding shipyard shipyards Судостроительный Судостроение sudostroitelnyy Верфь verf
shipping ship ships naviera navigation navires denizcilik Судоходный Судоходная sudokhodnaya keshtirani kashtirani 航运
maritime marine marin maritima Морской Морская morskoy morskaya darya
transport transportation transportes transporte trasporti spedition Транспорт Транспортный Транспортная transportnaya nakliyat tasimacilik haml 运输
logistics logistic logistica logistik logistique Логистика Логистик lojistik 物流
aviation avia aero aerospace aeronautics Авиация Авиационный Авиационная aviatsionnyy aviatsionnaya havacilik havapeyma hava 航空
airlines airline airways air Авиалинии Авиакомпания aviakompaniya lineas aereas
aircraft flugzeug Самолет samolet Авиастроение
design konstruktorskoe Конструкторское Конструкторский konstruktorskiy konstruktorskoye tarrahi
bureau Бюро buro byuro office oficina Офис daftar
scientific science sciences Научный Научная Научно nauchno nauchnyy wissenschaft scientifique
research Исследовательский Исследования issledovatelskiy forschung recherche recherches investigacion pazhouhesh pazhoohesh tahghighat 研究
production productions produktion produccion Производство Производственный Производственная Производственное proizvodstvennoe proizvodstvennyy proizvodstvennaya uretim tolid tolidi 生产
product products produkte productos prodotti Продукция Продукт mahsul mahsulat
manufacturing manufacture manufacturer manufacturers mfg fabricacion fertigung imalat sazi 制造
development developments desarrollo entwicklung developpement sviluppo Развитие razvitie razvitiya gelistirme tosee tose 发展
import imports importadora Импорт ithalat importacion
export exports exportadora Экспорт ihracat exportacion saderat
supply supplies supplier suppliers procurement Снабжение snabzhenie
distribution distributors distributor distribuidora Дистрибьютор
consulting consultants consultancy consultoria consultores consulenza Консалтинг konsalting danismanlik moshaver 咨询
security securities sicherheit seguridad Безопасность bezopasnost guvenlik
defense defence defensa Оборонный Оборонная oboronnyy savunma defa
military militar militaire Военный Военная Военно voennyy voenno voyenno askeri nezami
medical medicine medica medizin Медицинский Медицинская meditsinskiy tibbi pezeshki 医疗
health healthcare sante salud gesundheit Здравоохранение saglik
pharmaceutical pharma pharmaceuticals farma farmaceutica pharmacy Фармацевтический daru
university universitat universidad universite universita Университет universitet daneshgah universitesi 大学
academy academia akademie akademi Академия akademiya
school schule escuela ecole scuola Школа shkola
ministry ministerio ministere ministerium Министерство ministerstvo Міністерство vezarat wizara bakanligi
agency agencia agence agentur Агентство agentstvo ajansi
committee comite komitee Комитет komitet
department departamento Департамент departament
government gobierno gouvernement regierung Правительство pravitelstvo
federal Федеральный Федеральная Федеральное federalnyy federalnoe
state Государственный Государственная Государственное gosudarstvennyy gosudarstvennoe gosudarstvennaya Державний staatliche estatal etat dowlati
republic republica republique republik Республика respublika jomhouri cumhuriyeti
corporation-state goskorporatsiya
joint Совместное sovmestnoe mushtarak
private privado prive Частный Частная chastnaya khosusi ozel
public publico Публичное
special Специальный Специальная spetsialnyy spetsialnoe особое
central zentral centrale Центральный Центральная tsentralnyy markazi merkez
united unidos unida unis Объединенный Объединенная obedinennaya vereinigte
global mondial worldwide world welt mundial Мировой
new nueva nuevo neue Новый
real-estate realestate immobilien inmobiliaria immobiliare immobilier Недвижимость gayrimenkul realty properties property amlak 房地产
agricultural agriculture agro agricola agropecuaria Сельскохозяйственный Агро agroindustrial tarim keshavarzi 农业
food foods alimentos alimentaria lebensmittel Продовольственный gida ghaza
textile textiles Текстиль tekstil
tourism turismo travel tours tour turizm Туризм reisen viajes
hotel hotels hoteles otel
media medya Медиа
telecommunications telecom telekom telecomunicaciones Телеком communications communication comunicaciones Связь svyaz mokhaberat
information informatics informatik informatica Информационный Информационные info
software
digital
data
network networks netzwerk
marketing
automotive auto autos automotores Автомобильный avto motors motor khodro otomotiv
equipment equipments equipo equipos equipement Оборудование oborudovanie tajhizat 设备
materials material Материалы
tools
spare
parts
wood timber madera holz Лесной
building buildings
project projects proyectos Проект proje
exchange exchanges Биржа birzha sarrafi cambio cambios
money
leasing Лизинг lizing
credit kredit credito Кредит
store stores shop market markets supermarket
club clube klub Клуб
party partei partido Партия partiya
movement Движение dvizhenie harakat jonbesh movimiento
front Фронт jabhat jebhe frente cephesi
army armee ejercito Армия armiya jaysh jaish artesh
liberation Освобождение tahrir liberacion
brigade brigada Бригада liwa katibat brigades battalion regiment division unit
council consejo Совет soviet sovet shura conseil rat
authority
commission Комиссия
company-group
entertainment
experimental Опытный Опытный opytnyy opytno
association-production Объединение
advanced
applied Прикладной prikladnoy
laboratory laboratories lab labs Лаборатория laboratoriya
north northern norte nord Северный severnyy shomal kuzey
south southern sur sud Южный yuzhnyy jonub guney
east eastern este oriental ost Восточный vostochnyy shargh dogu
west western oeste occidental Западный zapadnyy gharb bati
middle
`;

/** Joining words of several languages: dropped from organisations' names. */
const STOP = `the of and for a an in on at to by with und der die das fur von im de del la las los el y e do da dos das des du
et pour dell della dei di per il lo and i v na po s o u im imeni imena named after so called ve ile va al wa ul van het een voor en og`;

/** The word in whose place another is compared. */
export const genericWords: readonly (readonly string[])[] = GENERIC.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));

export const stopWords: readonly string[] = STOP.trim().split(/\s+/);
