"""Topic and section pages in the shapes of the forum programs that people meet, written for these tests."""

from __future__ import annotations

# phpBB 3: posts by id="p123", author and date in one paragraph, quotes as blockquote, a signature.
PHPBB_TOPIC = """<!DOCTYPE html><html dir="ltr" lang="ru"><head><meta charset="utf-8">
<title>Автобус 10 - Страница 2 - Форум горожан</title><link rel="canonical" href="http://f.example/viewtopic.php?t=77&start=20">
</head><body id="phpbb"><div id="wrap"><h1>Форум горожан</h1><h2 class="topic-title">
<a href="./viewtopic.php?f=3&amp;t=77&amp;sid=0123456789abcdef0123456789abcdef">Автобус 10</a></h2>
<div class="action-bar"><div class="pagination">45 сообщений <ul><li><a href="./viewtopic.php?f=3&amp;t=77">1</a></li>
<li class="active"><span>2</span></li><li><a href="./viewtopic.php?f=3&amp;t=77&amp;start=40" rel="next">3</a></li></ul></div></div>
<div id="p201" class="post has-profile bg2"><div class="inner"><dl class="postprofile" id="profile201"><dt>
<a href="./memberlist.php?mode=viewprofile&amp;u=5&amp;sid=0123456789abcdef0123456789abcdef" class="username">Зульфия Каримова</a></dt>
<dd><strong>Зарегистрирован:</strong> 02 янв 2019, 10:00</dd><dd>Сообщения: 214</dd></dl>
<div class="postbody"><div id="post_content201"><h3><a href="#p201">Re: Автобус 10</a></h3>
<p class="author"><a href="./viewtopic.php?p=201#p201">#</a> <strong><a href="./memberlist.php?mode=viewprofile&amp;u=5">Зульфия
Каримова</a></strong> » <time datetime="2026-11-20T06:15:00+00:00">20 ноя 2026, 09:15</time></p>
<div class="content"><blockquote><div><cite>Тимур писал(а):</cite>он вообще ходит?</div></blockquote>Ходит раз в час,
ждали с коляской<br>под дождём</div><div class="notice">Последний раз редактировалось 21 ноя 2026, 10:00</div>
<div id="sig201" class="signature">Всем добра 01.02.2020</div></div></div></div></div>
<hr class="divider"><div id="p202" class="post bg1"><div class="inner"><dl class="postprofile" id="profile202"><dt>
<span class="username">Гость</span></dt></dl><div class="postbody"><div id="post_content202"><p class="author">
<a href="./viewtopic.php?p=202#p202">#</a> <span class="username">Гость</span> » 20 ноя 2026, 09:40</p>
<div class="content">Нужен автобус побольше</div></div></div></div></div>
<div id="quick"><form action="./ucp.php?mode=login"><input type="password"></form></div></div></body></html>"""

PHPBB_SECTION = """<!DOCTYPE html><html lang="ru"><head><title>Транспорт - Форум горожан</title>
<link rel="alternate" type="application/atom+xml" href="/feed/forum/3"></head><body><h1>Форум горожан</h1>
<ul class="linklist navlinks"><li><a href="./index.php">Список форумов</a></li><li><a href="./viewforum.php?f=2">Город</a></li></ul>
<ul class="topiclist topics">
<li class="row sticky"><dl><dt><a href="./viewtopic.php?f=3&amp;t=1" class="topictitle">Правила раздела</a>
<div class="pagination"><ul><li><a href="./viewtopic.php?f=3&amp;t=1&amp;start=20">2</a></li></ul></div>
<a href="./memberlist.php?mode=viewprofile&amp;u=2" class="username">Марат</a> » 01 мар 2020, 12:00</dt>
<dd class="posts">24 <dfn>Ответы</dfn></dd><dd class="views">9120 <dfn>Просмотры</dfn></dd>
<dd class="lastpost"><a href="./memberlist.php?mode=viewprofile&amp;u=2">Марат</a>
<a href="./viewtopic.php?f=3&amp;p=150#p150"><i></i></a> 05 мая 2021, 08:00</dd></dl></li>
<li class="row"><dl><dt><a href="./viewtopic.php?f=3&amp;t=77" class="topictitle">Автобус 10</a>
<a href="./memberlist.php?mode=viewprofile&amp;u=5" class="username">Зульфия Каримова</a> » 19 ноя 2026, 20:00</dt>
<dd class="posts">{replies} <dfn>Ответы</dfn></dd><dd class="views">{views} <dfn>Просмотры</dfn></dd>
<dd class="lastpost"><a href="./viewtopic.php?f=3&amp;p={last}#p{last}"><i></i></a> 20 ноя 2026, 09:40</dd></dl></li></ul>
<div class="pagination"><ul><li class="active"><span>1</span></li>
<li><a href="./viewforum.php?f=3&amp;start=25">2</a></li><li class="next"><a rel="next" href="./viewforum.php?f=3&amp;start=25">След.</a></li>
</ul></div></body></html>"""

# vBulletin 4: a list of li id="post_123", dates as day-month-year with a clock in Arabic, quotes in div.bbcode_quote.
VBULLETIN_TOPIC = """<!DOCTYPE html><html dir="rtl" lang="ar"><head><title>زحمة الجسر</title></head><body>
<h1><a href="showthread.php?88-%D8%B2%D8%AD%D9%85%D8%A9">زحمة الجسر</a></h1><ol id="posts" class="posts">
<li class="postbitlegacy postbit" id="post_301"><div class="posthead"><span class="postdate"><span class="date">22-11-2026,&nbsp;
<span class="time">03:15 مساءً</span></span></span><a name="post301" href="showthread.php?88&amp;p=301#post301" class="postcounter">#1</a></div>
<div class="postdetails"><div class="userinfo"><a class="username" href="member.php?9-%D9%84%D9%8A%D9%84%D9%89">ليلى الحسن</a>
<dl class="userinfo_extra"><dt>تاريخ التسجيل</dt><dd>01-02-2015</dd></dl></div><div class="postbody"><h2 class="title">زحمة الجسر</h2>
<div class="content"><div id="post_message_301"><blockquote class="postcontent restore">الزحمة على الجسر لا تطاق منذ الصباح
</blockquote></div></div></div></div></li>
<li class="postbitlegacy postbit" id="post_302"><div class="posthead"><span class="postdate"><span class="date">23-11-2026,&nbsp;
<span class="time">09:05 صباحاً</span></span></span><a href="showthread.php?88&amp;p=302#post302" class="postcounter">#2</a></div>
<div class="postdetails"><div class="userinfo"><a class="username" href="member.php?11">سامي</a></div><div class="postbody">
<div class="content"><div id="post_message_302"><blockquote class="postcontent restore"><div class="bbcode_quote">الزحمة لا تطاق</div>
نحتاج جسرا ثانيا</blockquote></div></div></div></div></li></ol></body></html>"""

# XenForo 2: article[data-content=post-123], Jalali dates as Iranian forums show them, JSON-LD of the opening post alone.
XENFORO_TOPIC = """<!DOCTYPE html><html dir="RTL" lang="fa"><head><title>ایستگاه مترو | انجمن شهر</title>
<script type="application/ld+json">{"@context":"https://schema.org","@type":"DiscussionForumPosting","@id":
"http://f.example/threads/metro.55/","headline":"ایستگاه مترو","text":"آسانسور ایستگاه خراب است","author":{"@type":"Person",
"name":"مهرداد صالحی"},"datePublished":"2026-11-22T09:00:00+03:30"}</script></head><body><div class="p-title">
<h1 class="p-title-value">ایستگاه مترو</h1></div><nav class="pageNavWrapper"><a href="/threads/metro.55/page-2">2</a>
<a href="/threads/metro.55/page-14">14</a><a class="pageNav-jump pageNav-jump--next" href="/threads/metro.55/page-2">بعدی</a></nav>
<article class="message message--post" data-author="مهرداد صالحی" data-content="post-401" id="js-post-401">
<span class="u-anchorTarget" id="post-401"></span><div class="message-inner"><div class="message-cell message-cell--user">
<h4 class="message-name"><a href="/members/mehrdad.31/" class="username" data-user-id="31">مهرداد صالحی</a></h4>
<dl><dt>تاریخ عضویت</dt><dd>۱۳۹۹/۰۲/۰۱</dd></dl></div><div class="message-cell message-cell--main"><header class="message-attribution">
<a href="/threads/metro.55/post-401"><span class="u-dt">۱ آذر ۱۴۰۵ ساعت ۰۹:۰۰</span></a></header><div class="message-content">
<article class="message-body"><div class="bbWrapper">آسانسور ایستگاه خراب است و نمی‌شود با چرخ رفت</div></article>
<aside class="message-signature">امضا</aside></div></div></div></article>
<article class="message message--post" data-author="بهرام" data-content="post-402" id="js-post-402"><div class="message-inner">
<div class="message-cell message-cell--user"><h4 class="message-name"><a href="/members/bahram.32/" class="username">بهرام</a></h4></div>
<div class="message-cell message-cell--main"><header class="message-attribution"><a href="/threads/metro.55/post-402">
<span class="u-dt">دیروز ساعت ۲۱:۳۰</span></a></header><div class="message-content"><article class="message-body"><div class="bbWrapper">
<blockquote class="bbCodeBlock bbCodeBlock--quote" data-quote="مهرداد صالحی">آسانسور ایستگاه خراب است</blockquote>پله برقی هم ندارد
</div></article></div></div></div></article></body></html>"""

# SMF 2: div.post_wrapper with subject id, "Today at", topic=12.0 as pages.
SMF_TOPIC = """<!DOCTYPE html><html lang="en-US"><head><title>Bus stops</title></head><body><div class="pagelinks">Pages: [<strong>1</strong>]
<a class="navPages" href="http://f.example/index.php?topic=12.15">2</a> <a class="navPages" href="http://f.example/index.php?topic=12.30">3</a>
</div><form id="quickModForm"><div class="windowbg"><span class="post_wrapper" style="display:block"><div class="poster"><h4>
<a href="http://f.example/index.php?action=profile;u=4" title="View the profile of Grace Okoro">Grace Okoro</a></h4><ul><li>Posts: 31</li></ul></div>
<div class="postarea"><div class="keyinfo"><h5 id="subject_501"><a href="http://f.example/index.php?topic=12.msg501#msg501">Bus stops</a></h5>
<div class="smalltext">« on: November 21, 2026, 05:12:33 PM »</div></div><div class="post"><div class="inner" id="msg_501">No bench &amp; no shade at the
stop</div></div></div></span></div><div class="windowbg2"><span class="post_wrapper"><div class="poster"><h4>Passer-by</h4></div>
<div class="postarea"><div class="keyinfo"><h5 id="subject_502"><a href="http://f.example/index.php?topic=12.msg502#msg502">Re: Bus stops</a></h5>
<div class="smalltext">« Reply #1 on: Today at 08:01:10 AM »</div></div><div class="post"><div class="inner" id="msg_502">Same on my street</div>
</div></div></span></div></form></body></html>"""

# A page whose posts no attribute names: only links to them, told as ages.
BARE_TOPIC = """<html lang="en"><head><title>Parking at the market</title></head><body><h1>Parking at the market</h1><section>
<div class="c"><b class="nick">Grace</b> <a href="/talk/7?comment=61">link</a> <i>3 hours ago</i><p>No place to park on Saturdays at all</p></div>
<div class="c"><b class="nick">Tom</b> <a href="/talk/7?comment=62">link</a> <i>yesterday</i><p>Take the tram then</p></div>
</section></body></html>"""

# Microdata: the opening post around its comments.
MICRODATA_TOPIC = """<html><head><title>Tram line 5</title></head><body><div itemscope itemtype="http://schema.org/DiscussionForumPosting">
<h1 itemprop="headline">Tram line 5</h1><div id="post_1" itemprop="comment" itemscope itemtype="http://schema.org/Comment" class="topic-body">
<span itemprop="author" itemscope itemtype="http://schema.org/Person"><a itemprop="url" href="/u/grace"><span itemprop="name">grace</span></a></span>
<time itemprop="datePublished" datetime="2026-11-20T08:00:00Z">Nov 20</time><div itemprop="text"><p>The tram is always full</p></div></div>
<div id="post_2" itemprop="comment" itemscope itemtype="http://schema.org/Comment" class="topic-body"><span itemprop="author" itemscope
itemtype="http://schema.org/Person"><a itemprop="url" href="/u/tom"><span itemprop="name">tom</span></a></span><time itemprop="datePublished"
datetime="2026-11-21T08:00:00Z">Nov 21</time><div itemprop="text"><p>More trams, please</p></div></div></div></body></html>"""

# JSON-LD beside a page that scripts draw.
JSON_LD_TOPIC = """<html><head><title>Playground</title><script type="application/ld+json">{"@context":"https://schema.org",
"@type":"DiscussionForumPosting","url":"https://f.example/d/9#post-91","headline":"Playground","text":"The swing is broken",
"datePublished":"2026-11-20T08:00:00Z","author":{"@type":"Person","name":"Grace","url":"https://f.example/u/grace"},
"comment":[{"@type":"Comment","url":"https://f.example/d/9#post-92","text":"<p>Since May</p>","datePublished":"2026-11-21T08:00:00Z",
"author":[{"name":"Tom"}]}]}</script></head><body><div id="app"></div></body></html>"""
