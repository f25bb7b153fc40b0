// Lists of indices, one for each of a number of keys, in one array.

#ifndef ECP5_PNR_INDEX_LISTS_H
#define ECP5_PNR_INDEX_LISTS_H

#include <cstddef>
#include <vector>

class IndexLists {
public:
    struct Range {
        const int *from, *to;
        const int *begin() const { return from; }
        const int *end() const { return to; }
        size_t size() const { return to - from; }
    };

    IndexLists() {}

    // Appends each index below `size` to the list of key_of(index), which is below `key_count`, or
    // to none where the key is negative.
    template <typename KeyOf> IndexLists(size_t key_count, size_t size, KeyOf key_of)
        : first(key_count + 1) {
        for (size_t index = 0; index < size; ++index)
            if (key_of(index) >= 0) ++first[key_of(index) + 1];
        for (size_t key = 0; key < key_count; ++key) first[key + 1] += first[key];
        items.resize(first[key_count]);
        std::vector<int> next = first;
        for (size_t index = 0; index < size; ++index)
            if (key_of(index) >= 0) items[next[key_of(index)]++] = index;
    }

    Range operator[](size_t key) const {
        return {items.data() + first[key], items.data() + first[key + 1]};
    }

private:
    std::vector<int> first, items;
};

#endif
