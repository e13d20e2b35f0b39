"""Tiexin (贴心): the assistant of a Party organisation, in the chats its members already use.

The map
-------
::

    bot/core        the conversation: knows no channel, no table, no organisation, no template engine
    bot/render      words become text in the reader's language
    bot/reception   one event in, one answer out, in one transaction
    bot/adapters    one channel each: what an update says, how an answer looks, how a message is delivered
    bot/server      the HTTP doors: web chat, signed links, health
    bot/carriage    what may a channel carry, and what does it carry instead
    bot/intake      how each channel brings what people say: one part of the process each
    bot/parts       what every door shares: configuration, database, reception
    bot/app         the wiring: which parts there are
    bot/serve       the running process: server, outbox and clock together
    bot/cli         the admin's door
    handlers/       one package per capability: chat (what members say and press), desk (the use cases),
                    rules (the law as pure functions), and what they share: rights, scope, workdays, secrecy …
    storage/        tables and queries, one file per noun; the writer; migrations
    templates/      members' words
    workers/        later work: the outbox, the clock

Looking downwards only: cli → serve → app → server | intake → workers → parts → reception → carriage →
adapters | handlers → storage | render → core | config | logs. A machine checks it.

One word per idea
-----------------
==============  ================================================================================================
address         where a person can be reached: a channel and that channel's own key for them
answer          what comes back to one event: a Reply, or Begin (a dialogue)
audit           who decided what, when
bank            questions that belong together, each as GIFT
binding         an address that belongs to a person, with their consent
campaign        one telling to many, its recipients frozen; `tell` composes its words for one person, now
card            a message of WeCom's with buttons, which can be changed once after each tap
chain           the deliveries of a campaign to one person who is told by preference: one at a time, the rest stand by
clock           what is due now
contact         培养联系人: who accompanies somebody on the way into the Party
delivery        one copy of a campaign on its way to one address
desk            a capability's use cases; also 工作台, a secretary's page
draft           a form half filled in; it belongs to the person
event           what comes in: Said, Pressed, Handed
examination     questions drawn from banks and frozen, for a roll, until a time
file            what somebody handed in with an answer, sealed; loose until it belongs to something
form            a dialogue of several questions: the model is the dialogue
grade           how personal something is, which decides what may carry it
house           one installation, which is one tenant
item            a line of 我的 or 工作台
keeper          keeps the files that a question asks for, and says what nobody may send at all
lease           how long one worker may hold a delivery
member          正式党员 or 预备党员; everybody in the house is a person
message         a reply in the reader's language
note            学习心得: what somebody has learnt, shared with the branch if they like
nudge           asking once more, and only those who have not answered
offer           a button that stands at an address
office          what somebody holds somewhere, from when until when; it carries rights
paper           what one person writes of an examination, on all channels; or for practice
parcel          a message on its way to one key of a channel
part            a channel's part of the running process: its intake and its channel
period          a month or a quarter, to which a report belongs
plan            whom a campaign would reach now, on which channel; who would hear nothing, and why
poll            a question put to a roll; a vote is what somebody answered
refused         a no, with its rule and its remedy
reminder        what somebody is told they have still to do; it stops when its reason is gone
reply           words and buttons, still without a language
report          思想汇报: what somebody hands in for a period; each version is kept
right           what an office lets its holder do, in its organisation and below
roll            who may vote or is to sit an examination, frozen at the opening
roster          the list of people
round           a set of reminders that begins once, by its natural key
scope           whom a notice or a poll means
summary         支部小结: what a branch says of its month, and plans for the next
telling         a campaign as those who compose its words see it
term            how long a committee serves
turn            one exchange: who speaks, from where, when, in which transaction
vouch           a channel says itself who somebody is (WeCom's userid), so no code is wanted
words           something to say: a template's name and its values
writer          what commits: many events at once on SQLite, one each on PostgreSQL
==============  ================================================================================================
"""
