/**
 * What common passwords are made of, without the digits and punctuation that people put around it,
 * in lowercase: words, names, phrases and keyboard walks that every published ranking of passwords
 * has, in several languages. Those of twelve characters and more are refused as they are; all of
 * them are refused where nothing but digits and punctuation is added.
 */
export const commonWords: ReadonlySet<string> = new Set(
  `
aaabbbccc aabbcc aabbccddee abcabc abcd abcde abcdef abcdefg abcdefgh abcdefghi abcdefghij
abcdefghijkl abcdefghijklm abcdefghijklmn abcdefghijklmnop abcdefghijklmnopqrstuvwxyz access
accessdenied accessgranted account accounts acdc adgangskode admin adminadmin administrador
administrateur administrator adminpassword adminroot adminuser agent airforce ajax alejandra
alejandro alexander alexandra alexandre alhamdulillah alien aliens allahisgreat allahuakbar always
alwaysandforever amanda amazing amazon america american americas amor amorcito amore amoreterno
amsterdam anakin anarchy andrew android angel angelito angels anonymous ansible anthony antonio
anything apple apples april aragorn archive areyouok argentina arizona army arsenal arsenalfc
artifactory artifacts asdf asdfasdf asdfgh asdfghjkl asdfghjklzxcvbnm asdfjkl ashley asshole audi
august austin australia autumn avengers awesome azerty azertyqwerty azertyuiop baby babyboy
babydoll babygirl babylove backup backups bailey banana bananas bandit barcelona bartsimpson
baseball basketball basketballs batman batmanrobin batterystaple battlefield bayern bayernmunich
beach bear bears beatles beautiful beer beijing believe bella benfica benjamin berlin besiktas
bestfriend bestfriends bestpassword beyonce bff bilbo bilbobaggins billion birthday bismillah
bitbucket bitch bitches black blackberry blahblah blahblahblah blank bleach blessed blinkeighttwo
blobstore blue bmw bond boston boxing brandon brasil brazil britain brittany broncos brother
buildbot builder bulbasaur bulls bullshit bunny business buster butterflies butterfly california
callofduty camaro canada candy captainamerica carlos carolina carpediem casino cat cats catwoman
celtic celtics centos champion champions changeit changeme changemenow changeonfirstlogin
changepassword changethis chaos charizard charles charlie charmander cheese cheesecake chelsea
chelseafc cherry chevrolet chevy chewbacca chicago chicagobulls chicken chickens china chocolate
chocolates christ christian christina christine christmas christopher chrome cisco coffee college
colombia colorado company computer computers confidential continuous contrasena contrasenya cookie
cookiemonster cookies cool coolgirl coolguy corporate correcthorse correcthorsebattery
correcthorsebatterystable correcthorsebatterystaple corvette counterstrike cowboy cowboys crazy
cricket cristiano crystal cubs cycling daddy daisy dallas daniel daniela danielle darkvader
darling darthvader database databases datastore deadman deadpool death debian december default
defaultpassword defaults dell demo demodemo demon demouser deploy deployment desktop deutschland
developer development devil diablo diamond diamonds dick docker doctor doctors dodgers dog doggy
dogs dollar dollars dolphin dolphins donald donaldduck dontask dontknow doom doraemon dortmund
dragon dragonball dragonballz dragonfire dragonfly dragons drummer drums ducati dumbass dumbledore
eagle eagles earth easter easypassword ebay eduardo einszweidrei elephant elizabeth elvis
elvispresley email emailaddress emerald eminem empty engineer engineering england enter entrance
entry espana everton everybody everyone everything example examples facebook faith falcon family
familyguy fantastic father fcbarcelona february fedora fenerbahce fernandez fernando ferrari
feyenoord filestore finalfantasy firefox fishing florida flower flowers foobar foobarbaz
foobarfoobar football footballer footballs ford forest forever foreverandever foreverlove
foreveryoung forgetpassword forgotpassword fortinet fortnite france francisco freedom friday
friend friends friendsforever frodo frodobaggins fuckme fuckoff fuckthis fuckthisshit fuckyou
fuckyouall futurama gabriel gabriela galatasaray galaxy game gamer gamers games gaming gandalf
garfield georgia germany getout ghost giants ginger github gitlab gmail goaway godbless godblessme
godblessyou godisgood godisgreat godislove goku golden goldfish golf golfer golfing gonzalez
goodbye goodluck goodmorning goodnight goodpassword google gorgeous grandma grandpa green greenday
gryffindor guest guestguest guestuser guillermo guitar guitarhero guitars hacked hacker hackers
hackme hahaha hahahaha hakunamatata hallelujah halloween halo hamburger handsome hansolo
happilyeverafter happiness happy happybirthday happyday happyface happylife happynewyear harbor
harley harleydavidson harleyquinn harrypotter haslo hastalavista hawk heat heaven hell hello
hellohello hellokitty hellothere helloworld helloyou helpdesk hermione hermionegranger hernandez
heslo hewlett highschool hiphop hithere hobbit hockey hogwarts holiday holidays homersimpson honda
honey honeybee honeybunny hope horse horses hostmaster hotmail hottie houston howareyou huawei
hunter hunting hurricane husband iamawesome iambatman iamgod iamgroot iamhappy iamironman
iamlegend iamthebest iamtheboss iamtheone icehockey ichliebedich idiot idontcare idontknow
iforgotmypassword ihatemylife ihatepasswords ihatethis ihateyou ilikeyou ilovebeer ilovecats
ilovechocolate ilovecoffee ilovedogs ilovefootball ilovegod iloveher ilovehim ilovehorses
ilovejesus iloveme ilovemusic ilovemycat ilovemydad ilovemydog ilovemyfamily ilovemykids
ilovemylife ilovemymom ilovemyself ilovemywife ilovepizza ilovesex ilovesoccer iloveu iloveyou
iloveyouall iloveyoubaby iloveyoudad iloveyouforever iloveyougod iloveyoujesus iloveyoumom
iloveyoumore iloveyoumum iloveyousomuch iloveyoutoo iluvyou imissyou impossible india indonesia
ineedyou insecure inshallah instagram integration intermilan internet ipad iphone ironmaiden
ironman island istanbul itachi italia italy iwantyou jackpot jakarta jamesbond january japan
jasmine jedi jediknight jedimaster jelszo jenkins jenkinsci jennifer jessica jesus jesuschrist
jesusfirst jesusisking jesusislord jesuslovesme jesussaves jetaime joker jonathan jordan jose
joshua july june juniper jupiter justatest justdoit justice justin justinbieber juventus katasandi
kawasaki keepout kennwort keyboard keykey killer killers killyou king kingdom kingkong kitten
kittens kitty kittycat knight kobebryant korea kubernetes ladybug lakers lamborghini laptop
lasvegas lavender lawyer leagueoflegends leavemealone lebronjames ledzeppelin legend legends
legolas leia lenovo letmein letmeinnow letmeinplease liberty lightning lily linkedin linkinpark
linkzelda linux lion lionelmessi lionking lions livelaughlove liverpool liverpoolfc login
loginlogin logmein lol lollol london longpassword lordoftherings loremipsum loremipsumdolor
losangeles losenord loser loveandpeace loveisblind loveislife lovelove lovely loveme lover lovers
loveyou lucifer lucky luckyme luckyone luke lukeskywalker macbook macintosh madison maggie
malaysia mamamia mamapapa manager manchester manchesterunited mancity manuel manunited maradona
march maria marina marine marines mario married martin martina martinez maryhadalittlelamb master
masterchief masterkey mastermaster masterpassword masters masteryoda matrix matthew max may
maytheforcebewithyou melbourne melissa mercedes mercedesbenz mercury merrychristmas messi
metallica mewtwo mexico miami miamor michael michaeljackson michaeljordan michelle mickey
mickeymouse microsoft miguel milan million millionaire minecraft minnie minniemouse mission mivida
modem mohammed molly mommy monday mondaymonday money moneymoney mongodb monkey monkeybusiness
monkeys montreal moon moonlight mordor morgan moscow motdepasse mother motherfucker motorola
mountain mountains muhammad music musica musicislife mustang myangel mybaby mybabygirl mycat mydog
myfamily myheart myhouse mylife mylove myloves myname mynameis mypassword mypasswordis myprincess
mysecret myspace mysql mystore napoli naruto narutouzumaki natalie nature navy neo netflix network
nevergiveup nevermind neversaynever newpassword newyear newyork newyorkcity nexus neymar nicholas
nicole ninja ninjas nintendo nirvana nissan noidea nokia none nonono nopass nopassword nosecret
nothing nothingelse nothingtosee notsecret november null number numberone nurse obiwan
obiwankenobi ocean october office okokok oldpassword oliver onceuponatime onedirection onepiece
onetwothree onetwothreefour onetwothreefourfive online opendoor opensesame opensesamenow openup
operator oracle orange osterreich ourpassword owner packages packard packers pakistan panda pandas
panther paris parola parole pass passcode passkey passphrase passw0rd password password1
passwordpassword passwords passwort patricia patrick patriots paypal peace peaceandlove peaches
penguin penguins penis pepper peppers perfect philippines phoenix piano pikachu pineapple pink
pinkfloyd pipeline pirate pirates pizza platinum playstation please pleasechange pleasechangeme
pleaseletmein pokemon pokemongo poker poland police polska pony popcorn porsche porto portugal
postgres postgresql postmaster predator pretty prince princesa princess private production psv
pumpkin puppies puppy purple pussy qazwsx qazwsxedc qazwsxedcrfv quake queen quickbrownfox qwaszx
qweasd qweasdzxc qweasdzxcrfv qwer qwert qwerty qwertyasdf qwertyasdfgh qwertyqwerty qwertyui
qwertyuiop qwertyuiopasdf qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertz qwertzuiop rabbit
racing rafael raiders rainbow rainbows rangers rapper realmadrid red redhat redis redsox registry
release releases replaceme repository resetpassword ricardo richard river robert roberto roblox
rocknroll rocky rodrigo rodriguez rollingstones ronaldo root rootme rootpassword rootroot rootuser
rose roses rotterdam router rugby runner runners running russia safepassword safety sailormoon
salasana samantha sample samples samsung samurai sandi sanfrancisco sasuke sasukeuchiha satan
saturday saturn sauron schalke school schweiz scooby scoobydoo seattle sebastian secret secretkey
secretpassword secrets secretsecret secretword secure secured securepassword security selenagomez
senha september server servers service serviceaccount services sesame setme sexsex sexsexsex sexy
sexybitch sexyboy sexygirl shadow shadows shanghai shark sharks shit sifre signin signup silver
simplepassword simpsons singapore sister skateboard skateboarding skating sky skywalker slipknot
slytherin smile smiley smokey snake snakes snoopy snow snowball snowboard snowboarding snowflake
snowman soccer soccerball softball soldier soldiers somebody someday something sonic
sonicthehedgehog sony sophie southpark spain spider spiderman spirit spongebob
spongebobsquarepants sporting spotify spring springtime squirtle staging starcraft stardust
starfleet starlight stars startrek starwars stayout steelers stephanie stockholm storage storages
store storestore storm stormtrooper strawberries strawberry strongpassword student students stupid
success successful sugar summer summertime sunday sunflower sunflowers sunrise sunset sunshine
superadmin superman supermanman supermario superpassword supersecret superuser superusers support
surfer surfing suzuki sweetheart sweetie sweetness swimmer swimming sydney sysadmin system
systemadmin systems taylor taylorswift teacher teachers teamo teamomucho temp temporary
temporarypassword temppassword tennis tequiero tequieromucho tequila terminator test testaccount
tester testing testingtesting testonly testpassword tests testtest testuser texas thailand
thankgod thanks thankyou thankyoujesus thankyoulord thebeatles thepassword thequickbrownfox
thequickbrownfoxjumps thequickbrownfoxjumpsoverthelazydog thinkpad thisisapassword thisisatest
thisisfun thisisit thisisme thisismine thisismypassword thisisthepassword thomas thunder thursday
tiamo tiger tigers tigger tmptmp tobeornottobe tobeornottobethatisthequestion together tokyo
tomcat tomorrow toor topsecret tornado toronto toshiba totoro tottenham toyota troubador trust
trustmenow trustno trustnobody trustnoone truth tryagain tuesday tupac turkey turkiye turtle
turtles twinkletwinkle twinkletwinklelittlestar twitter tyler ubuntu ukraine undefined undeuxtrois
unicorn unicorns universe university unlock unlocked unodostres usa user username usernames
userpassword users useruser vacation vagrant vampire vancouver vegeta veronica verysecret victoria
vietnam virginia vodka voldemort volkswagen volleyball wachtwoord warcraft warrior warriors
wasdwasd washington watermelon weblogic webmaster webpage website websphere wedding wednesday
weekend welcome welcomeall welcomeback welcomehome welcometo welcomeyou whatever whateveritis
whatisthis whatsapp whatsup whiskey white whoareyou whoknows whynot wife william windows winner
winners winniethepooh winter wintertime wireless wolf wolverine wolves wonderwoman work worker
working world worldofwarcraft wrestling xbox yahoo yamaha yankees yellow yesterday yesyesyes yoda
youandme youareawesome youarethebest yourmom yourmother yourname yourpassword youtube zaqwsx
zaqxsw zelda zidane zombie zombies zxcvbn zxcvbnm
`
    .trim()
    .split(/\s+/),
);
