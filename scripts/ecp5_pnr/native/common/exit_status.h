// Exit statuses of both programs; native.py holds the sentence for each of them.

#ifndef ECP5_PNR_EXIT_STATUS_H
#define ECP5_PNR_EXIT_STATUS_H

constexpr int BAD_PROBLEM = 2;          // wrong arguments, or a problem file that cannot be parsed
constexpr int FILE_ERROR = 3;           // a database that cannot be opened, or an unwritable answer
constexpr int UNKNOWN_DATABASE = 4;     // a database layout other than that of the pinned nextpnr

#endif
