// Reader of a problem file: numbers and names separated by white space.

#ifndef ECP5_PNR_TEXT_INPUT_H
#define ECP5_PNR_TEXT_INPUT_H

#include <cstdio>
#include <cstdlib>

#include "common/exit_status.h"

// Ends the program with BAD_PROBLEM where the file does not hold what is read.
class TextInput {
public:
    explicit TextInput(const char *path) : file(std::fopen(path, "r")) {
        if (!file) std::exit(BAD_PROBLEM);
    }
    ~TextInput() { std::fclose(file); }
    TextInput(const TextInput &) = delete;
    TextInput &operator=(const TextInput &) = delete;

    int read_int() {
        int value;
        if (std::fscanf(file, "%d", &value) != 1) std::exit(BAD_PROBLEM);
        return value;
    }
    float read_float() {
        float value;
        if (std::fscanf(file, "%f", &value) != 1) std::exit(BAD_PROBLEM);
        return value;
    }
    // The result is valid until the next call.
    const char *read_name() {
        if (std::fscanf(file, "%99s", name) != 1) std::exit(BAD_PROBLEM);
        return name;
    }

private:
    std::FILE *file;
    char name[100];
};

#endif
