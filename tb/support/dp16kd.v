// DP16KD of Lattice ECP5 as its memory usage guide (FPGA-TN-02204) and yosys' description of it
// (share/lattice/brams_16kd.txt, brams_map_16kd.v) say, for simulation: 18 Kbit with two ports.
// Yosys ships only an empty module. Only what yosys makes of memories is modelled: no output
// registers, and both ports on one clock; other parameters do not elaborate.
//
// Where the device gives no word, this one answers wrongly on purpose, so that whoever relies on
// it is found: a bit that one port reads while the other writes it comes out inverted, and one
// that both write keeps the inverse of what it was.

module DP16KD #(
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG",
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL",
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "ENABLED",
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000",
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB",
    parameter [319:0]
        INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0,
        INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0,
        INITVAL_0A = 0, INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0,
        INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0,
        INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0,
        INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0, INITVAL_1C = 0, INITVAL_1D = 0,
        INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0,
        INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0,
        INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0,
        INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0, INITVAL_30 = 0, INITVAL_31 = 0,
        INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0,
        INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
        INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0
) (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
    input DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
    output DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
    input DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
    output DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
    generate
        if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG"
            || CLKAMUX != "CLKA" || CLKBMUX != "CLKB"
            || CSDECODE_A != "0b000" || CSDECODE_B != "0b000")
            dp16kd_has_no_model_of_these_parameters unmodelled();
    endgenerate

    wire [13:0] addr_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7,
                          ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] addr_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7,
                          ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [17:0] pins_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
                          DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [17:0] pins_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
                          DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
    // a synchronous reset also keeps its port from writing
    wire clear_a = RSTA && RESETMODE == "ASYNC";
    wire clear_b = RSTB && RESETMODE == "ASYNC";
    wire selected_a = CEA && !(RSTA && RESETMODE == "SYNC") && {CSA2, CSA1, CSA0} == 0;
    wire selected_b = CEB && !(RSTB && RESETMODE == "SYNC") && {CSB2, CSB1, CSB0} == 0;

    // Every width is a part of a word of 36 bits, four bytes of nine. A port of four bits and fewer
    // never reaches the ninth.
    function [5:0] place(input integer width, input [4:0] addr);
        place = (width < 36 && addr[4] ? 18 : 0) + (width < 18 && addr[3] ? 9 : 0)
            + (width < 9 && addr[2] ? 4 : 0) + (width < 4 && addr[1] ? 2 : 0)
            + (width < 2 && addr[0] ? 1 : 0);
    endfunction

    // Wide ports take their lowest address bits as byte enables.
    function [35:0] bits(input integer width, input [3:0] enables);
        bits = width == 36 ? {{9{enables[3]}}, {9{enables[2]}}, {9{enables[1]}}, {9{enables[0]}}}
            : width == 18 ? {{9{enables[1]}}, {9{enables[0]}}}
            : width == 9 ? 9'h1ff : width == 4 ? 4'hf : width == 2 ? 2'h3 : 1'h1;
    endfunction

    wire [5:0] place_a = place(DATA_WIDTH_A, addr_a[4:0]);
    wire [5:0] place_b = place(DATA_WIDTH_B, addr_b[4:0]);
    wire [35:0] write_a = selected_a && WEA ? bits(DATA_WIDTH_A, addr_a[3:0]) << place_a : 0;
    wire [35:0] write_b = selected_b && WEB ? bits(DATA_WIDTH_B, addr_b[3:0]) << place_b : 0;
    // 36 bits written through port A take port B's pins for their upper half
    wire [35:0] data_a = {DATA_WIDTH_A == 36 ? pins_b : 18'b0, pins_a} << place_a;
    wire [35:0] data_b = {18'b0, pins_b} << place_b;

    localparam [20479:0] CONTENTS = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
        INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
        INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
        INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
        INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
        INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
        INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
        INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
        INITVAL_00};
    reg [35:0] memory [0:511];
    integer word;
    // a word of 18 bits takes 20 of the parameters'
    initial for (word = 0; word < 512; word = word + 1)
        memory[word] = {CONTENTS[40 * word + 20 +: 18], CONTENTS[40 * word +: 18]};

    wire same = addr_a[13:5] == addr_b[13:5];
    wire [35:0] old_a = memory[addr_a[13:5]];
    wire [35:0] old_b = memory[addr_b[13:5]];
    wire [35:0] by_a = same ? write_a : 0;              // bits of the other port's word
    wire [35:0] by_b = same ? write_b : 0;
    wire [35:0] other_a = data_a & by_a | ~by_a & old_b;
    wire [35:0] other_b = data_b & by_b | ~by_b & old_a;
    wire [35:0] new_a = write_a & by_b & ~old_a | write_a & ~by_b & data_a | ~write_a & other_b;
    wire [35:0] new_b = write_b & by_a & ~old_b | write_b & ~by_a & data_b | ~write_b & other_a;

    // pins beyond a port's width stay low
    localparam [35:0] SPAN_A = (36'd1 << DATA_WIDTH_A) - 1;
    localparam [35:0] SPAN_B = (36'd1 << DATA_WIDTH_B) - 1;
    reg [35:0] out_a = 0, out_b = 0;
    always @(posedge CLKA)
        if (write_a != 0)
            memory[addr_a[13:5]] <= new_a;
    always @(posedge CLKA, posedge clear_a)
        if (clear_a)
            out_a <= 0;
        else if (RSTA)
            out_a <= 0;
        else if (selected_a && !(WEA && WRITEMODE_A == "NORMAL"))
            out_a <= (WRITEMODE_A == "WRITETHROUGH" ? write_a & data_a | ~write_a & (old_a ^ by_b)
                                                    : old_a ^ by_b) >> place_a & SPAN_A;
    always @(posedge CLKB)
        if (write_b != 0)
            memory[addr_b[13:5]] <= new_b;
    always @(posedge CLKB, posedge clear_b)
        if (clear_b)
            out_b <= 0;
        else if (RSTB)
            out_b <= 0;
        else if (selected_b && !(WEB && WRITEMODE_B == "NORMAL"))
            out_b <= (WRITEMODE_B == "WRITETHROUGH" ? write_b & data_b | ~write_b & (old_b ^ by_a)
                                                    : old_b ^ by_a) >> place_b & SPAN_B;

    // 36 bits read through port B leave by both ports' pins
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
            DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0}
        = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
            DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0}
        = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
endmodule
