// The look-up tables that yosys' model of CCU2C is made of. Icarus does not read those of yosys: their
// inputs have default values.

module LUT4(input A, B, C, D, output Z);
    parameter [15:0] INIT = 16'h0000;
    assign Z = INIT[{D, C, B, A}];
endmodule

module LUT2(input A, B, output Z);
    parameter [3:0] INIT = 4'h0;
    assign Z = INIT[{B, A}];
endmodule
