"""Write people.csv, the same file every time: 990 invented people and ten wrong rows.

    python examples/make_people.py

All names are invented, and all addresses are at example.com, .net and .org (RFC 2606). Most people were only invited
and have no password yet. Thirty have a password in the file; thirty more have a bcrypt or Django hash from an older
system. Their password there is `people.old_password` of their address.
"""

# ruff: noqa: E501 - the table of names is wide
from __future__ import annotations

import csv
import random
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unicodedata import combining, normalize

from passlib.hash import bcrypt, django_pbkdf2_sha256

from people import BUNDLED, COLUMNS, old_password

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD: Final = 990
PASSWORDS: Final = 30
LEGACY: Final = 15
"""The number of hashes of each scheme."""

# language, domain label, order of the names | given names | family names; "native=roman" where the script is not Latin
NAMES: Final = """
de bücher gf | Jürgen Käthe Sören Anneliese Björn Wiebke Götz Änne | Müller Groß Schäfer Weiß Köhler Böhm Krüger Möller
fr café gf | Éloïse Jérôme Zoé Benoît Chloé Françoise Anaïs Gaëtan | Lefèvre Bérenger Côté Garçon Noël Desprès Léger Forêt
es mañana gf | Begoña Íñigo Joaquín Lucía Óscar Ángela Raúl Sofía | Núñez Ibáñez Peña Muñoz Gómez Ordóñez Cañada Yáñez
pt coração gf | João Inês Simão Conceição Luís Antónia Estêvão Lúcia | Simões Magalhães Guimarães Araújo Leitão Falcão Assunção Brandão
pl żółw gf | Łukasz Małgorzata Świętosława Żaneta Stanisław Grażyna Mścisław Bożena | Wójcik Żuławski Gałązka Śliwa Kołodziej Piątek Dąbek Wróbel
cs kůň gf | Jiří Eliška Vojtěch Růžena Ondřej Zdeňka Bořivoj Kateřina | Dvořáček Růžička Němeček Březina Kříž Žďárský Hošek Vlček
hu erdő fg | Győző Ágnes Örs Tünde László Enikő Béla Sárika | Szőke Kővári Tóthfalusi Bíró Nagyné Erdős Hegedűs Füzesi
tr güneş gf | Gökçe Çağlar Şebnem Ömür Işıl Tuğba Yiğit Ayşegül | Yıldızhan Öztürkmen Çetinkol Şahingöz Güneşli Aydıner Kılıçer Bağcı
vi hànội fg | Thảo Đức Hằng Phượng Tuấn Ngọc Dũng Quỳnh | Nguyễn Trần Lê Phạm Hoàng Đặng Bùi Võ
sv smörgås gf | Åsa Göran Märta Örjan Kjell Ingegärd Håkan Älva | Sjöberg Åkerlund Lindström Öberg Hägglund Björkman Ängström Blå
is ísland gf | Þórdís Sigurður Ævar Guðrún Ásgeir Hrafnhildur Örn Steinþór | Þorsteinsdóttir Bjarnason Guðmundsson Óskarsdóttir Æsuson Hallgrímsson Jökulsson Sólmundardóttir
el ταχυδρομείο gf | Αλέξανδρος=alexandros Ελένη=eleni Γιώργος=giorgos Σοφία=sofia Νίκος=nikos Δέσποινα=despina Θανάσης=thanasis Ζωή=zoi | Παπαδάκης=papadakis Νικολάου=nikolaou Οικονόμου=ikonomou Βλάχος=vlachos Ρήγας=rigas Μακρής=makris Αγγέλου=angelou Λάμπρου=lambrou
ru почта gf | Алёна=alyona Пётр=pyotr Юлия=yulia Фёдор=fyodor Ксения=ksenia Игорь=igor Надежда=nadezhda Лев=lev | Соловьёв=solovyov Щербак=shcherbak Королёв=korolyov Журавель=zhuravel Ковыль=kovyl Рябинин=ryabinin Чайка=chaika Берёзко=beryozko
uk пошта gf | Їжакія=yizhakia Євген=yevhen Оксана=oksana Андрій=andriy Соломія=solomia Тарас=taras Леся=lesia Юрій=yuriy | Шевчук=shevchuk Ґудзь=gudz Їжакевич=yizhakevych Калина=kalyna Мороз=moroz Левченко=levchenko Гончар=honchar Вишня=vyshnia
hy փոստ gf | Անի=ani Արամ=aram Լուսինե=lusine Տիգրան=tigran Մարիամ=mariam Վահան=vahan Սոնա=sona Հայկ=hayk | Պետրոսյան=petrosyan Սարգսյան=sargsyan Գրիգորյան=grigoryan Ավետյան=avetyan Մանուկյան=manukyan Ղազարյան=ghazaryan Կարապետ=karapet Թումանյան=tumanyan
ka ფოსტა gf | ნინო=nino გიორგი=giorgi თამარ=tamar ლევან=levan ქეთევან=ketevan დავით=davit მარიამ=mariam ზურაბ=zurab | ბერიძე=beridze კაპანაძე=kapanadze ლომიძე=lomidze გელაშვილი=gelashvili მაისურაძე=maisuradze წიკლაური=tsiklauri ჩხეიძე=chkheidze ხარაძე=kharadze
ar بريد gf | ليلى=layla يوسف=yousef فاطمة=fatima خالد=khalid مريم=maryam طارق=tariq نور=noor سليمان=sulayman | حداد=haddad النجار=najjar الخطيب=khatib صباغ=sabbagh القاسم=qasim منصور=mansour العطار=attar زيدان=zaydan
fa پست gf | شیرین=shirin کاوه=kaveh پریسا=parisa بهرام=bahram گلنار=golnar آرش=arash ژاله=zhaleh فرهاد=farhad | کریمی=karimi رستمی=rostami پارسا=parsa گلزار=golzar فروزان=foruzan نیکو=niku بهاری=bahari آذری=azari
he דואר gf | נועה=noa איתן=eitan תמר=tamar יונתן=yonatan שירה=shira אורי=ori מיכל=michal גלעד=gilad | כהנוב=kahanov לויתן=levitan פרידמן=fridman שפירא=shapira ברק=barak אלון=alon גולן=golan סלע=sela
hi डाक gf | आरती=aarti रोहित=rohit सुनीता=sunita अमित=amit प्रिया=priya विक्रम=vikram दीपा=deepa मोहन=mohan | शर्मा=sharma वर्मा=verma मिश्रा=mishra चौहान=chauhan जोशी=joshi यादव=yadav नायर=nair कपूर=kapoor
bn ডাক gf | অনন্যা=ananya সৌরভ=sourav মিতালি=mitali অরিন্দম=arindam সুচিত্রা=suchitra তপন=tapan রুমা=ruma বিমল=bimal | সেনগুপ্ত=sengupta মুখার্জি=mukherjee দাস=das চক্রবর্তী=chakraborty ঘোষ=ghosh পাল=paul সরকার=sarkar বসু=basu
ta அஞ்சல் gf | கவிதா=kavitha முருகன்=murugan மீனா=meena சுந்தர்=sundar லதா=latha அருண்=arun செல்வி=selvi குமரன்=kumaran | பாண்டியன்=pandiyan இளங்கோ=ilango நடராஜன்=natarajan வேலன்=velan மணி=mani கண்ணன்=kannan சேகர்=sekar பெருமாள்=perumal
th ไปรษณีย์ gf | สมชาย=somchai มาลี=malee วิชัย=wichai กานดา=kanda ประเสริฐ=prasert อรทัย=orathai ธนา=thana พิมพ์ใจ=pimjai | ใจดี=jaidee สุขใจ=sukjai ทองดี=thongdee แสงจันทร์=saengchan รักไทย=rakthai มีชัย=meechai ศรีสุข=srisuk บุญมา=boonma
am ፖስታ gf | አበበ=abebe ሰላም=selam ዮሐንስ=yohannes ትዕግስት=tigist ዳዊት=dawit ሔለን=helen ተስፋዬ=tesfaye ማርታ=marta | ከበደ=kebede ታደሰ=tadesse ገብሬ=gebre ወልዴ=wolde አለሙ=alemu መኮንን=mekonnen በቀለ=bekele ደስታ=desta
zh 邮件 fg | 伟明=weiming 秀英=xiuying 志强=zhiqiang 丽娟=lijuan 建国=jianguo 晓雨=xiaoyu 文博=wenbo 梦琪=mengqi | 王=wang 李=li 张=zhang 刘=liu 陈=chen 欧阳=ouyang 赵=zhao 周=zhou
ja メール fg | さくら=sakura 太郎=taro 陽子=yoko ケンジ=kenji 美咲=misaki 大輔=daisuke ひかり=hikari 直樹=naoki | 山田=yamada 佐々木=sasaki 鈴木=suzuki 高橋=takahashi 小林=kobayashi 渡辺=watanabe 中村=nakamura 森=mori
ko 메일 fg | 지훈=jihoon 서연=seoyeon 민수=minsu 하은=haeun 영호=youngho 수진=sujin 도윤=doyun 예린=yerin | 김=kim 이=lee 박=park 최=choi 정=jung 강=kang 조=cho 윤=yoon
"""
WORDS: Final = (
    "otter violin lantern marmalade cobble juniper thimble walrus saffron gondola "
    "Drachenflug Stehlampe blåbær chrząszcz журавль самовар θάλασσα ελιά קיפוד تفاح 山茶花 雨傘 무지개 नदी"
)
PLAIN: Final = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "þ": "th", "Þ": "th", "æ": "ae", "Æ": "ae", "ı": "i"}
)
PROVIDERS: Final = ("google", "github", "apple", "microsoft")
BCRYPT64: Final = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

Row = dict[str, str]


class Name:
    """A name as it is written, and in plain Latin letters."""

    def __init__(self, text: str) -> None:
        """Read ``native=roman``, or a Latin name that loses its accents."""
        self.native, _, roman = text.partition("=")
        stripped = (mark for mark in normalize("NFD", self.native.translate(PLAIN)) if not combining(mark))
        self.roman = roman or "".join(stripped).lower()


def invented_people(rng: random.Random) -> list[tuple[str, str, Name, Name, str]]:
    """Return language, domain label, given name, family name and display name, in random order."""
    people = []
    for line in NAMES.strip().splitlines():
        head, given, family = (part.split() for part in line.split("|"))
        language, label, order = head
        for first, last in product(map(Name, given), map(Name, family)):
            parts = (first.native, last.native) if order == "gf" else (last.native, first.native)
            shown = ("" if language in {"zh", "ko"} else " ").join(parts)
            people.append((language, label, first, last, shown))
    return rng.sample(people, GOOD)


def address(style: int, label: str, first: Name, last: Name, rng: random.Random) -> str:
    """Return an address in one of ten styles."""
    tag, year = rng.choice(("news", "work", "shop")), rng.randrange(60, 100)
    return (
        f"{first.roman}.{last.roman}@example.com",
        f"{first.roman}.{last.roman}@example.org",
        f"{first.roman[0]}.{last.roman}@example.net",
        f"{first.roman.title()}.{last.roman.title()}@Example.com",
        f"{first.roman}.{last.roman}+{tag}@example.com",
        f"{first.roman}_{last.roman}{year}@example.net",
        f"{first.native}.{last.native}@example.org",
        f"{first.roman}@{label}.example.org",
        f"{first.roman}-{last.roman}@mail.example.net",
        f"{first.roman}.{last.roman}@EXAMPLE.ORG".upper(),
    )[style]


def username(style: int, first: Name, last: Name, rng: random.Random) -> str:
    """Return a username in one of five styles, without spaces or compatibility characters, which PRECIS refuses."""
    number = rng.randrange(100, 1000)
    return (
        f"{first.native}{number}",
        f"{first.roman.title()}{last.roman.title()}",
        f"{first.roman}_{last.roman[:3]}{number}",
        f"{first.native}{last.native}",
        f"{last.roman}.{first.roman[0]}{number}",
    )[style]


def unique(text: str, seen: set[str], separator: str) -> str:
    """Return a text that is new in any spelling, adding a number before the separator if necessary."""
    head, middle, tail = text.partition(separator) if separator else (text, "", "")
    for number in range(2, GOOD):
        key = normalize("NFKC", text).casefold()
        if key not in seen and len(head) > 2:  # noqa: PLR2004 - initials always get a number
            break
        text = f"{head}{number}{middle}{tail}"
        head = head if len(head) > 2 else f"{head}{number}"  # noqa: PLR2004 - the same
    seen.add(normalize("NFKC", text).casefold())
    return text


def hashes(rng: random.Random) -> Iterator[tuple[str, int]]:
    """Yield the scheme and the cost of each old hash; low costs keep the demo fast."""
    for number in range(LEGACY):
        yield "bcrypt", 4 + number % 2
        yield "django", 1000 + rng.randrange(500)


def old_hash(scheme: str, cost: int, password: str, rng: random.Random) -> str:
    """Hash a password as the older system did, with a reproducible salt."""
    if scheme == "bcrypt":
        salt = "".join(rng.choices(BCRYPT64, k=21)) + rng.choice(".Oeu")
        return str(bcrypt.using(rounds=cost, salt=salt).hash(password))
    salt = "".join(rng.choices(BCRYPT64[2:], k=12))
    return str(django_pbkdf2_sha256.using(rounds=cost, salt=salt).hash(password))


def good_rows(rng: random.Random) -> list[Row]:
    """Return the rows without mistakes."""
    rows: list[Row] = []
    emails: set[str] = set()
    names: set[str] = set()
    old = list(hashes(rng))
    for number, (language, label, first, last, shown) in enumerate(invented_people(rng)):
        row = dict.fromkeys(COLUMNS, "") | {"name": shown, "language": language, "confirmed": "no"}
        has_password, has_old = number % 33 == 5, number % 33 == 16  # noqa: PLR2004 - one in 33 is thirty of 990
        only_social = number % 16 == 7 and not (has_password or has_old)  # noqa: PLR2004 - one in 16 is about sixty
        row["email"] = unique(address(number % 10, label, first, last, rng), emails, "@")
        if has_password or has_old or rng.random() < 0.7:  # noqa: PLR2004 - a realistic share
            row["username"] = unique(username(rng.randrange(5), first, last, rng), names, "")
        if has_password:
            row["password"] = f"{' '.join(rng.sample(WORDS.split(), 4))} {rng.randrange(10, 100)}"
        elif has_old:
            row["password_hash"] = old_hash(*old.pop(), old_password(row["email"]), rng)
        if only_social or number % 9 == 0:
            row["social_provider"] = rng.choice(PROVIDERS)
            row["social_subject"] = str(rng.randrange(10**17, 10**18))
        if only_social and number % 32 == 7:  # noqa: PLR2004 - every second one
            row["email"] = row["username"] = ""
        if row["email"] and rng.random() < 0.6:  # noqa: PLR2004 - a realistic share
            row["confirmed"] = "yes"
        if number % 11 == 0:
            row["permissions"] = ";".join(sorted(rng.sample(("articles:read", "articles:write", "reports:read"), 2)))
        rows.append(row)
    return rows


def bad_rows(good: list[Row]) -> list[Row]:
    """Return ten rows, each with other mistakes, in the order of `people.BUNDLED`."""
    french = (row["email"] for row in good if row["language"] == "fr")
    accented = next(email for email in french if not email.partition("@")[0].isascii())
    names = (row["username"] for row in good if row["username"].isascii())
    name = next(name for name in names if name.lower() != name)
    wrong: list[Row] = [
        {"name": "Rosalind Tern", "email": "rosalind.tern at example.org"},
        {"name": "Odd Name", "email": "odd.name@example.net", "username": "odd@name"},
        {"name": "Very Important", "email": "vip@example.com", "username": "\uff21\uff44\uff4d\uff49\uff4e"},
        {"name": "Al Brief", "email": "al.brief@example.org", "password": "tulip7"},
        {"name": "Same Letters", "email": normalize("NFD", accented).upper()},
        {"name": "Loud Twin", "email": "loud.twin@example.com", "username": name.upper()},
        {"name": "Half Linked", "email": "half.linked@example.net", "social_provider": "github"},
        {"name": "Gap Between", "email": "gap.between@example.com", "permissions": "articles:read;;reports:read"},
        {"name": "Nobody Yet"},
        {
            "name": "Everything Wrong",
            "email": "every@thing@example.org",
            "username": "two words",
            "password": "password",
            "password_hash": good[16]["password_hash"],
            "permissions": ";",
        },
    ]
    return [dict.fromkeys(COLUMNS, "") | {"language": "en", "confirmed": "no"} | row for row in wrong]


def main() -> None:
    """Write the file next to this module."""
    rng = random.Random(990)  # noqa: S311 - the file must be reproducible
    rows = good_rows(rng)
    bad = bad_rows(rows)
    for line, row in zip(sorted(BUNDLED), bad, strict=True):
        rows.insert(line - 2, row)
    with Path(__file__).with_name("people.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
